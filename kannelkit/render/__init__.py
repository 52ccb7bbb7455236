"""A spec to the text that Kannel reads: accounts to links, links to groups, groups to text."""

from kannelkit.render.links import Account, Link, accounts, shares
from kannelkit.render.misread import misread
from kannelkit.render.text import kannel_conf

__all__ = ["Account", "Link", "accounts", "kannel_conf", "misread", "shares"]
