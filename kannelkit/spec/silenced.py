"""Which findings about a spec a comment can silence: those after which there is still something to write for Kannel."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

# rule -> what is done with the value of a silenced finding
CARRIED: Mapping[str, str] = MappingProxyType(
    {
        "S105": "the group is written without it",
        "S201": "the value is written as it stands; what Kannel makes of it is Kannel's",
        "S204": "the value is written as it stands, and counts as the next whole number where kannelkit computes",
        "S205": "the value is written in full, and Kannel cuts it",
        "S301": "system-type is written in full, and Kannel cuts it",
        "S304": "both are written; the links of the second account get names of their own",
        "S305": "both links are written; an administration command reaches both",
        "S306": "both ports are written; they may be on different interfaces",
        "S308": "system-type is written as it stands",
        "S310": "the name is written as it stands",
        "S311": "the service is written as it stands",
        "S312": "both ports are written",
        "S313": "both users are written",
        "S316": "the directive is written without the group it needs",
        "S317": "the name is written although nothing has it",
    }
)

# rule -> why there is nothing to go on with
FIRM: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(
            ("S001", "S002", "S003", "S004", "S005", "S006", "S007", "S008", "S009"),
            "the file cannot be read any other way",
        ),
        "S101": "a key that nobody knows has no place in a kannel.conf",
        "S102": "there is no one text to write",
        "S103": "only one of the two can be written",
        "S104": "there is no value to write",
        "S202": "Kannel's language cannot hold the value",
        "S203": "there is no value to write",
        "S206": "kannelkit itself has to listen there",
        "S303": "a limit of 0 SMS per second is no limit to Kannel",
        "S307": "the relay cannot do it",
        "S309": "kannelkit writes the directive itself, once for each link",
        "S314": "there is no profile to take values from",
        "S315": "the supervisor needs a rate between the two",
        "S325": "all of them live by one rate",
        "S326": "commands would mean both",
        "S320": "the file cannot be read any other way",
        "S321": "the profile means nothing without it",
        "S322": "a key that nobody knows changes nothing",
        "S323": "a profile holds for every account that names it",
        "S324": "only one of the two can be meant",
    }
)
