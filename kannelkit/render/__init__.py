"""A spec to the text that Kannel reads: accounts to links, links to groups, groups to text."""

from kannelkit.render.links import AS_WRITTEN, Account, InForce, Link, Side, accounts, shares
from kannelkit.render.misread import misread
from kannelkit.render.text import kannel_conf

__all__ = ["AS_WRITTEN", "Account", "InForce", "Link", "Side", "accounts", "kannel_conf", "misread", "shares"]
