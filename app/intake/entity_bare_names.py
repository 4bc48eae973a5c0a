"""Names that stand without a word for what they are: their form, or what befalls them, tells."""

from app.intake.entity_rule import rule

_BEFALLS = (
    r"\b(?:OOM\w*|oom-kill\w*|Killed|BackOff|CrashLoopBackOff|kubelet|[Cc]ontainers?|[Pp]robe"
    r"|[Ee]vict\w*|[Ss]tateful[Ss]et|unreachable|[Rr]estart\w*|Unhealthy|cgroup|exit code)\b"
)
_NUMBERED_POD = (
    r"(?:^|[ \t\"'(=,])(?P<folder>[a-z][-a-z0-9]*)/(?P<pod>[a-z][-a-z0-9]*-\d{1,3})"
    r"(?:: |[ \t\"'),;]|$)"
)

BARE_NAMES = (
    # A numbered pod that begins a line or follows its time, as log collectors write it.
    rule(
        "-",
        r"(?m)^\[?[-\dT:.,/]{5,35}Z?\]? +\[?(?P<pod>[a-z][-a-z0-9]*-\d{1,2})\]? +(?:(?P<container>[a-z][-a-z0-9]*)(?:: |\[| \| )|[A-Z{\[\d])",
        1,
    ),
    rule(
        "-",
        r"(?m)^\[?(?P<pod>[a-z][-a-z0-9]*-\d{1,2})\]? +(?P<container>[a-z][-a-z0-9]*)(?:: |\[\d| \| )",
        1,
    ),
    # A pod's generated name standing anywhere.
    rule(
        "-",
        r"(?:^|[\s\[\"'/(=|])(?:(?P<folder>[a-z][-a-z0-9]*)/)?(?P<pod>[a-z][-a-z0-9]*-HASH-SUFFIX)(?:[\s\]\"':,/)|]|$)",
        0.5,
    ),
    # A numbered pod behind its namespace, in a line that tells what befalls pods.
    rule("/", rf"(?m)^[^\n]*{_BEFALLS}[^\n]*?{_NUMBERED_POD}", 0.5),
    rule("/", rf"(?m){_NUMBERED_POD}[^\n]*{_BEFALLS}", 0.5),
    # A container in a line that tells what befell it.
    rule(
        "ontainer ",
        r"\b[Cc]ontainer [\"'`]?(?P<container>NAME)[\"'`]?[,;:)]? (?:in |of |pod[ =/]|was |is |has |exceed|exited|errored|fail|OOM|oom|[Kk]illed|limit|memory|anon-rss|used |uses )",
        0.6,
    ),
    rule(
        "OOM|oom|Out of memory|out of memory",
        r"(?m)^[^\n]*(?:\bOOM|\boom[-_]|[Oo]ut of memory)[^\n]*?\bcontainer [\"'`]?(?P<container>NAME)\b",
        0.6,
    ),
)
