"""The whole kannel.conf of a spec, through `templates/`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from kannelkit.render.account import view
from kannelkit.render.chapters import before_links, behind_links
from kannelkit.render.lines import Lines, comment
from kannelkit.render.links import AS_WRITTEN, InForce, accounts
from kannelkit.spec import Spec

if TYPE_CHECKING:
    from jinja2 import Environment

_NOTHING_MADE: Mapping[str, str] = MappingProxyType({})


def kannel_conf(spec: Spec, in_force: InForce = AS_WRITTEN, made: Mapping[str, str] = _NOTHING_MADE) -> str:
    """Return the whole file that the spec stands for, with what is `in_force` instead of what it says.

    `made` holds the passwords that the spec leaves out, by the names in `spec.to_make()`. Raises ValueError where one
    of these passwords is missing, or a throughput is less than the connections it is for.
    """
    spec = spec.with_made(made)
    if missing := spec.to_make():
        raise ValueError(f"no password has been made for {', '.join(missing)}")
    lines = Lines()
    sharing = Counter(account.unit for account in spec.smpp_accounts)
    text = (
        _environment()
        .get_template("kannel.conf.j2")
        .render(
            spec_name=spec.path.name,
            before_links=before_links(spec, lines),
            accounts=(
                view(of_spec, account, lines, sharing[account.unit])
                for of_spec, account in zip(spec.smpp_accounts, accounts(spec, in_force), strict=True)
            ),
            behind_links=behind_links(spec, lines),
        )
    )
    return text.rstrip("\n") + "\n"


@cache
def _environment() -> Environment:
    # jinja2 takes longer to load than everything else that reads a spec, and most commands never write one out
    from jinja2 import Environment, PackageLoader, StrictUndefined

    # A kannel.conf is no HTML: values are written by conf, which knows Kannel's own quoting.
    environment = Environment(
        loader=PackageLoader("kannelkit", "templates"),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 see above
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    environment.filters["comment"] = comment
    return environment
