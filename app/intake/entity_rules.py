"""Phrases and fields that name an object, each with what it is worth."""

from app.intake.entity_rule import rule

PHRASES = (
    # What the user typed.
    rule(
        "kubectl|k get|k describe|k logs",
        r"(?m)\bk(?:ubectl)?\b[^\n|]*?(?: -n[ =]?| --namespace[ =])(?P<namespace>NAME)",
        4,
    ),
    rule(
        "kubectl|k describe|k logs",
        r"\bk(?:ubectl)? (?:[^\n|]*? )?(?:describe|get|logs|exec|edit|delete) (?:-n \S+ )?(?P<kind>KINDS)[ /]+(?P<object>NAME)",
        2.5,
    ),
    rule(
        "kubectl|k logs",
        r"\bk(?:ubectl)? (?:-n \S+ )?logs (?:-f |-p |--previous |--tail=?\S+ |-n \S+ )*(?P<pod>NAME)(?:[\s]|$)",
        3,
    ),
    rule(
        "kubectl|k logs",
        r"\bk(?:ubectl)? [^\n|]*?logs [^\n|]*?(?: -c[ =]?| --container[ =])(?P<container>NAME)",
        3,
    ),
    rule(
        "kubectl exec|kubectl top|kubectl attach|kubectl cp",
        r"\bkubectl (?:-n \S+ )?(?:exec|attach|top pod) (?:-it |-i |-t |-n \S+ |--namespace[ =]\S+ )*(?P<pod>NAME)(?:\s|$)",
        2,
    ),
    # Events and controllers.
    rule(
        "in pod",
        r"(?:container|init container) (?P<container>NAME) in pod (?P<pod>NAME)_(?P<namespace>[a-z0-9][-a-z0-9]*)\b",
        3,
    ),
    rule(
        "container=",
        r"\bcontainer=\\?\"?(?P<container>NAME)\\?\"? pod=\\?\"?(?P<pod>NAME)_(?P<namespace>NAME)\(",
        3,
    ),
    rule(
        "tartContainer",
        r"\"StartContainer\\*\" for \\*\"(?P<container>NAME)\\*\"",
        2,
    ),
    rule(
        '="',
        r"\b(?:ingress|service|object|deployment|workload)=\\?\"(?P<namespace>NAME)/(?P<service>NAME)\\?\"",
        1,
    ),
    rule('od "', r"\b[Pp]od \\?\"(?P<pod>NAME)_(?P<namespace>[a-z0-9][-a-z0-9]*)\\?\"", 2),
    rule(
        "nit container",
        r"\b[Ii]nit container [\"'`]?(?P<container>NAME)[\"'`]? (?:of|in) pod [\"'`]?(?P<pod>NAME)",
        3,
    ),
    rule("ns", r"[\s(,]ns[:= /]+[\"'`]?(?P<namespace>[a-z0-9][-a-z0-9]*)[)\"'`,;\s]", 1),
    rule(
        "/",
        r"\b(?P<kind>KINDS)[ :=]\\?\"?(?P<namespace>[a-z][-a-z0-9]*)/(?P<object>NAME)\b",
        1.5,
    ),
    rule("ervice account", r"service account (?P<namespace>NAME)/(?P<service>NAME)", 1.5),
    rule(
        "forbidden",
        r"pods \\?\"(?P<service>NAME)-HASH-\\?\" is forbidden",
        1.5,
    ),
    rule(
        "/",
        r"(?m)^(?P<pod>NAME) +\d+/\d+ +(?:\w*BackOff|\w*Error|ErrImagePull|Pending|OOMKilled|Init:\S+|Unknown|Evicted) ",
        2,
    ),
    rule(
        "->|<>",
        r"(?:^|\s)(?P<namespace>[a-z0-9][-a-z0-9]*)/(?P<pod>[a-z0-9][-a-z0-9.]*):\d{2,5}\s",
        0.6,
    ),
    rule("in container", r"in container (?P<container>NAME) of [Pp]od (?P<pod>NAME)", 2),
    rule(
        "esource ",
        r"\b[Rr]esource (?P<kind>KINDS)/(?P<namespace>NAME)/(?P<object>NAME)\b",
        3,
    ),
    rule('ervice "', r"\b[Ss]ervice \"(?P<namespace>NAME)/(?P<service>NAME)\"", 2),
    rule("kube-system/", r"\b(?P<namespace>kube-system)/NAME", 0.3),
    rule(
        "ssigned",
        r"Successfully assigned (?:(?P<namespace>NAME)/)?(?P<pod>NAME) to (?P<node>NAME)",
        2,
    ),
    rule(
        "ontainer ",
        r"(?:Created container:?|Started container|failed container|Container) \"?(?P<container>NAME)\"?(?:$|[\s,]|: )(?:failed|will be|in pod|definition)?",
        0.6,
    ),
    rule("ailed container", r"Back-off restarting failed container (?P<container>NAME) in pod", 2),
    rule("nready status", r"containers? with unready status: \[(?P<container>NAME)", 2),
    rule("pec.containers{", r"spec\.(?:initC|c)ontainers\{(?P<container>NAME)\}", 2),
    rule("must specify", r"must specify \S+ for: (?P<container>NAME)", 2),
    rule(
        "/",
        r"\b(?P<kind>KINDS)(?:\.apps|\.batch|\.v1|\.extensions)*/(?P<object>NAME)(?:[\s:,;\"')\]]|$)",
        1.5,
    ),
    rule('pods "|pods ', r"pods \"?(?P<pod>NAME-[a-z0-9]{5})\"? is forbidden", 2),
    rule(
        "ontrolled By|ontrolled by", r"(?m)Controlled By:\s+(?P<kind>KINDS)/(?P<object>NAME)\s*$", 3
    ),
    # klog's key=value and quoted references.
    rule(
        "od=",
        r"\b(?:pod|Pod|pod_name|podName|pod_full_name)=\\?\"?(?:(?P<namespace>NAME)/)?(?P<pod>NAME)\\?\"?",
        2,
    ),
    rule(
        '="',
        r"\b(?P<kind>deployment|statefulset|daemonset|job|cronjob)=\\?\"(?:(?P<namespace>NAME)/)?(?P<object>NAME)\\?\"",
        2,
    ),
    rule(
        "od \"|od '|od ",
        r"\b[Pp]od [\"'](?:(?P<namespace>NAME)/)?(?P<pod>NAME)(?:_[-a-z0-9]+\([^)]*\))?[\"']",
        2,
    ),
    rule("od ", r"\b[Pp]od (?P<namespace>NAME)/(?P<pod>NAME)\b", 2),
    rule(
        "od ",
        r"\b[Pp]od:? (?P<pod>NAME-HASH-SUFFIX)\b",
        1.5,
    ),
    rule("_", r"\b(?P<pod>NAME-[a-z0-9]{5})_(?P<namespace>[a-z0-9][-a-z0-9]*)\([0-9a-f-]{4,}\)", 2),
    rule("_", r"/var/log/(?:pods|containers)/(?:(?P<namespace>[-a-z0-9]+)_)?(?P<pod>NAME)_", 2),
    # Structured logs, alert labels, metrics.
    rule(
        "amespace",
        r"\b(?:namespace|Namespace|k8s\.namespace\.name|namespace_name|kubernetes\.namespace|exported_namespace|kubernetes_namespace)\\?[\"']?\s?[=:]\s?\\?[\"']?(?P<namespace>NAME)\b",
        2,
    ),
    rule(
        "pod",
        r"\b(?:pod|pod_name|podName|k8s\.pod\.name|kubernetes_pod_name|kubernetes\.pod\.name)\\?[\"']\s?:\s?\\?[\"'](?P<pod>NAME)",
        2,
    ),
    rule("pod", r"[{,]\s?(?:pod|pod_name|exported_pod)=\\?\"(?P<pod>NAME)", 2),
    rule(
        "ontainer",
        r"\b(?:container|container_name|containerName|k8s\.container\.name)\\?[\"']?\s?[=:]\s?\\?[\"'](?P<container>NAME)",
        1.5,
    ),
    rule(
        "eployment|tatefulset|tatefulSet|aemonset|aemonSet|job",
        r"\b(?P<kind>deployment|statefulset|daemonset|cronjob|job_name)\\?[\"']?\s?[=:]\s?\\?[\"'](?P<object>NAME)",
        2,
    ),
    # Labels of alerts, one a line.
    rule(
        "namespace",
        r"(?mi)^[ \t]*[-*|•]?[ \t]*namespace\*{0,2}[ \t]*[=:|][ \t]*[`\"]?(?P<namespace>NAME)[`\"]?[ \t]*$",
        1.5,
    ),
    rule(
        "pod|Pod",
        r"(?m)^[ \t]*[-*|•]?[ \t]*[Pp]od\*{0,2}[ \t]*[=:|][ \t]*[`\"]?(?P<pod>NAME)[`\"]?[ \t]*$",
        1.5,
    ),
    rule(
        "container|Container",
        r"(?m)^[ \t]*[-*|•]?[ \t]*[Cc]ontainer\*{0,2}[ \t]*[=:|][ \t]*[`\"]?(?P<container>NAME)[`\"]?[ \t]*$",
        1.5,
    ),
    rule(
        "container=|pod=|namespace=",
        r"(?:^|[\s{,])(?:namespace=(?P<namespace>NAME)|container=(?P<container>NAME)|pod=(?P<pod>NAME))(?:[\s,}]|$)",
        1,
    ),
    rule("ostname", r"\"hostname\"\s?:\s?\"(?P<pod>NAME-HASH-SUFFIX)\"", 1.5),
    rule(
        "service|app|component|logger",
        r"\"(?:service|service_name|serviceName|service\.name|app|application|app_name)\"\s?:\s?\"(?P<service>NAME)\"",
        0.5,
    ),
    rule(
        "service=|app=|svc=",
        r"(?:^|[\s{,])(?:service|svc|service_name|app)=\"?(?P<service>NAME)",
        0.3,
    ),
    rule(
        'nodeName|node=|"node"|host',
        r"\b(?:nodeName|node|node_name|kubernetes_node)\\?[\"']?\s?[=:]\s?\\?[\"'](?P<node>NAME)",
        1,
    ),
    rule('ode "|ode ', r"\b[Nn]ode \"(?P<node>NAME)\"", 1),
    # Prose.
    rule(
        "in namespace|in the namespace",
        r"\b(?:[Ss]ervice|[Aa]pp|[Ww]orkload) [\"'`]?(?P<service>NAME)[\"'`]? in (?:the )?namespace",
        1.5,
    ),
    rule("ith the name", r"\b(?P<kind>KINDS) with the name (?P<object>NAME)", 3),
    rule(
        "amespace",
        r"\b[Nn]amespaces? [\"'`]?(?P<namespace>NAME)[\"'`]?(?:[.,;:)]|$|\s(?:[^n]|n[^o]))",
        1,
    ),
    rule(
        "eployment|tatefulSet|aemonSet|Job",
        r"\b(?P<kind>Deployment|deployment|StatefulSet|statefulset|DaemonSet|daemonset|CronJob|Job) [\"'`](?:(?P<namespace>NAME)/)?(?P<object>NAME)[\"'`]",
        1.5,
    ),
    rule(
        "system:serviceaccount:",
        r"system:serviceaccount:(?P<namespace>NAME):(?P<service>NAME)",
        1.5,
    ),
    rule(
        ".svc",
        r"\b(?:NAME\.)?[a-z0-9][-a-z0-9]*\.(?P<namespace>[a-z0-9][-a-z0-9]*)\.svc(?:[^-\w]|$)",
        0.1,
    ),
    rule(
        "outbound|",
        r"\boutbound\|\d+\|[^|\s]*\|(?P<service>[a-z0-9][-a-z0-9]*)\.(?P<namespace>[a-z0-9][-a-z0-9]*)\.svc\b",
        0.5,
    ),
    rule("mage", r"(?i)\bimage:? \\?\"(?P<image>[\w./:@-]+)\\?\"", 1),
    rule("argocd app", r"argocd app \w+ (?:NAME/)?(?P<service>NAME)", 3),
    rule(
        "kube-|etcd|coredns",
        r"\b(?P<service>kube-apiserver|kube-controller-manager|kube-scheduler|kube-proxy|etcd|coredns)\b",
        0.1,
    ),
)
