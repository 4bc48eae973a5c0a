"""Short inputs of our own writing: what each failure mode looks like."""

INCIDENTS: tuple[tuple[str, str], ...] = (
    (
        "oom_killed",
        """Name:             ledger-api-6f9d7c4b58-x2x7k
Namespace:        finance
Controlled By:    ReplicaSet/ledger-api-6f9d7c4b58
Containers:
  api:
    Image:          registry.acme.example/ledger-api:4.2.0
    State:          Waiting
      Reason:       CrashLoopBackOff
    Last State:     Terminated
      Reason:       OOMKilled
      Exit Code:    137
    Restart Count:  9
    Limits:
      memory:  256Mi
Events:
  Type     Reason   Age                From     Message
  Warning  BackOff  2m (x31 over 19m)  kubelet  Back-off restarting failed container api in pod ledger-api-6f9d7c4b58-x2x7k_finance(0c9b7a5e-1111-4222-8333-944445555666)
""",
    ),
    (
        "oom_killed",
        """2026-03-02 10:14:55 INFO  order-import started batch 71
2026-03-02 10:15:40 ERROR order-import java.lang.OutOfMemoryError: Java heap space
\tat java.base/java.util.Arrays.copyOf(Arrays.java:3537)
\tat shop.imports.BatchReader.read(BatchReader.java:88)
""",
    ),
    (
        "image_pull_not_found",
        """Events:
  Normal   Pulling  12s  kubelet  Pulling image "registry.acme.example/web/shop:1.9.99"
  Warning  Failed   11s  kubelet  Failed to pull image "registry.acme.example/web/shop:1.9.99": rpc error: code = NotFound desc = failed to pull and unpack image "registry.acme.example/web/shop:1.9.99": failed to resolve reference "registry.acme.example/web/shop:1.9.99": registry.acme.example/web/shop:1.9.99: not found
  Warning  Failed   11s  kubelet  Error: ErrImagePull
""",
    ),
    (
        "image_pull_auth",
        """Warning  Failed  9s  kubelet  Failed to pull image "ghcr.io/acme/billing:3": failed to resolve reference "ghcr.io/acme/billing:3": failed to authorize: failed to fetch anonymous token: unexpected status: 401 Unauthorized
Warning  Failed  9s  kubelet  Error: ImagePullBackOff
""",
    ),
    (
        "image_pull_registry_unreachable",
        """Warning  Failed  9s  kubelet  Failed to pull image "harbor.lan.example/base/jre:17": rpc error: code = Unknown desc = failed to do request: Head "https://harbor.lan.example/v2/base/jre/manifests/17": dial tcp: lookup harbor.lan.example on 10.96.0.10:53: no such host
""",
    ),
    (
        "config_or_secret_missing",
        """NAMESPACE  NAME                       READY  STATUS                      RESTARTS  AGE
crm        mailer-5d9c8f7b6d-kq8zt   0/1    CreateContainerConfigError  0         3m
Warning  Failed  5s (x9 over 2m)  kubelet  Error: secret "mailer-smtp" not found
""",
    ),
    (
        "pvc_unbound",
        """Warning  FailedScheduling  40s  default-scheduler  0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.
Normal  FailedBinding  12s  persistentvolume-controller  no persistent volumes available for this claim and no storage class is set
""",
    ),
    (
        "storageclass_invalid",
        """Name:          archive-data
Namespace:     media
StorageClass:  fast-nvme
Status:        Pending
Warning  ProvisioningFailed  8s (x12 over 3m)  persistentvolume-controller  storageclass.storage.k8s.io "fast-nvme" not found
""",
    ),
    (
        "volume_attach_mount_failed",
        """Warning  FailedAttachVolume  2m  attachdetach-controller  Multi-Attach error for volume "pvc-7b0c" Volume is already exclusively attached to one node and can't be attached to another
""",
    ),
    (
        "volume_attach_mount_failed",
        """Warning  FailedMount  31s  kubelet  MountVolume.SetUp failed for volume "shared" : mount failed: exit status 32
Output: mount.nfs: access denied by server while mounting nas-2:/export/shared
""",
    ),
    (
        "scheduling_insufficient_resources",
        """Warning  FailedScheduling  2m  default-scheduler  0/4 nodes are available: 4 Insufficient memory. preemption: 0/4 nodes are available: 4 No preemption victims found for incoming pod.
""",
    ),
    (
        "scheduling_constraints",
        """Warning  FailedScheduling  2m  default-scheduler  0/4 nodes are available: 1 node(s) had untolerated taint {dedicated: batch}, 3 node(s) didn't match Pod's node affinity/selector.
""",
    ),
    (
        "quota_exceeded",
        """Warning  FailedCreate  3s  replicaset-controller  Error creating: pods "search-7c9d6f5b48-lm2xq" is forbidden: exceeded quota: team-quota, requested: limits.memory=2Gi, used: limits.memory=15Gi, limited: limits.memory=16Gi
""",
    ),
    (
        "readiness_probe_failing",
        """NAME                      READY   STATUS    RESTARTS   AGE
wiki-86d4f9c5b7-tt9xz     0/1     Running   0          4m
Warning  Unhealthy  3s (x24 over 4m)  kubelet  Readiness probe failed: HTTP probe failed with statuscode: 404
""",
    ),
    (
        "liveness_probe_failing",
        """Warning  Unhealthy  20s (x6 over 2m)  kubelet  Liveness probe failed: Get "http://10.4.2.9:8080/livez": context deadline exceeded
Normal   Killing    20s (x2 over 1m)  kubelet  Container worker failed liveness probe, will be restarted
""",
    ),
    (
        "dns_failure",
        """2026-05-01T08:00:01Z ERROR rates: getaddrinfo ENOTFOUND rates-api.pricng.svc.cluster.local
2026-05-01T08:00:06Z ERROR rates: getaddrinfo ENOTFOUND rates-api.pricng.svc.cluster.local
""",
    ),
    (
        "dependency_unreachable",
        """2026-05-01T08:00:01Z level=error msg="publish failed" err="dial tcp 10.8.3.4:5672: connect: connection refused" broker=rabbitmq
2026-05-01T08:00:04Z level=error msg="publish failed" err="dial tcp 10.8.3.4:5672: connect: connection refused" broker=rabbitmq
""",
    ),
    (
        "network_policy_blocked",
        """May  1 08:00:01.100: shop/cart-0:41822 (ID:5120) <> payments/ledger-0:8443 (ID:9011) policy-verdict:none EGRESS DENIED (TCP Flags: SYN)
May  1 08:00:01.100: shop/cart-0:41822 (ID:5120) <> payments/ledger-0:8443 (ID:9011) Policy denied DROPPED (TCP Flags: SYN)
""",
    ),
    (
        "rbac_forbidden",
        """E0501 08:00:01.000001 1 reflector.go:150] pods is forbidden: User "system:serviceaccount:ops:tidy-bot" cannot list resource "pods" in API group "" in the namespace "ops"
""",
    ),
    (
        "rbac_forbidden",
        """botocore.exceptions.ClientError: An error occurred (AccessDenied) when calling the PutObject operation: User: arn:aws:sts::111122223333:assumed-role/exporter/i-0 is not authorized to perform: s3:PutObject on resource: arn:aws:s3:::reports/x
""",
    ),
    (
        "certificate_invalid",
        """2026-05-01 08:00:01 ERROR sync failed: Get "https://vault.acme.example:8200/v1/kv": tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 2026-05-01T08:00:01Z is after 2026-04-30T23:59:59Z
""",
    ),
    (
        "node_not_ready",
        """NAME       STATUS     ROLES    AGE   VERSION
worker-a   Ready      <none>   90d   v1.33.1
worker-b   NotReady   <none>   90d   v1.33.1
""",
    ),
    (
        "node_pressure_eviction",
        """Warning  Evicted  12s  kubelet  The node was low on resource: ephemeral-storage. Threshold quantity: 8Gi, available: 5Gi. Container cache was using 12Gi, request is 0, has larger consumption of ephemeral-storage.
""",
    ),
    (
        "hpa_metrics_unavailable",
        """Warning  FailedGetResourceMetric  14s (x40 over 10m)  horizontal-pod-autoscaler  failed to get cpu utilization: missing request for cpu in container web of Pod store-7f6d5c4b39-abxyz
""",
    ),
    (
        "ingress_or_service_misconfigured",
        """W0501 08:00:01.000001 7 controller.go:1140] Service "shop/front" does not have any active Endpoint.
10.0.0.9 - - "GET / HTTP/1.1" 503 592 "-"
""",
    ),
    (
        "db_connection_exhausted",
        """2026-05-01 08:00:01 ERROR com.zaxxer.hikari.pool.HikariPool - HikariPool-1 - Connection is not available, request timed out after 30000ms.
""",
    ),
    (
        "db_connection_exhausted",
        """psycopg2.OperationalError: connection to server at "pg-main" (10.2.0.7), port 5432 failed: FATAL:  sorry, too many clients already
""",
    ),
    (
        "db_auth_failed",
        """2026-05-01 08:00:01 UTC [81] FATAL:  password authentication failed for user "invoice_rw"
""",
    ),
    (
        "disk_full",
        """2026-05-01 08:00:01 ERROR writer: write /var/lib/queue/segment-0091: no space left on device
""",
    ),
    (
        "rate_limited",
        """2026-05-01 08:00:01 WARN  geo-client: HTTP 429 Too Many Requests, retry-after: 30
2026-05-01 08:00:02 ERROR geo-client: giving up, rate limit exceeded
""",
    ),
    (
        "cpu_throttling",
        """{"alertname": "CPUThrottlingHigh", "namespace": "video", "pod": "encoder-6c5d4b3f29-pq7rs", "container": "encoder", "description": "74.3% throttling of CPU in namespace video for container encoder"}
""",
    ),
    (
        "latency_timeout",
        """2026-05-01 08:00:31 ERROR gateway: upstream request timeout after 30s for POST /v2/quotes
2026-05-01 08:01:31 ERROR gateway: upstream request timeout after 30s for POST /v2/quotes
""",
    ),
    (
        "config_error",
        """Starting scheduler 2.2
Error: required environment variable SCHEDULER_ZONE is not set
""",
    ),
    (
        "port_conflict",
        """2026-05-01 08:00:01 FATAL Error: listen EADDRINUSE: address already in use :::9100
""",
    ),
    (
        "init_container_failed",
        """NAME                        READY   STATUS                  RESTARTS      AGE
forum-0                     0/1     Init:CrashLoopBackOff   6 (50s ago)   9m
""",
    ),
    (
        "container_start_error",
        """Warning  Failed  3s  kubelet  Error: failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "pyhton3": executable file not found in $PATH: unknown
""",
    ),
    (
        "job_failed",
        """Warning  BackoffLimitExceeded  2m  job-controller  Job has reached the specified backoff limit
""",
    ),
    (
        "admission_rejected",
        """Error from server: admission webhook "validate.kyverno.svc-fail" denied the request: resource Deployment/shop/front was blocked: require-labels: label owner is required
""",
    ),
    (
        "control_plane_failure",
        """The connection to the server 10.1.1.10:6443 was refused - did you specify the right host or port?
""",
    ),
    (
        "cni_sandbox_failed",
        """Warning  FailedCreatePodSandBox  4s  kubelet  Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "ab12": plugin type="calico" failed (add): error getting ClusterInformation: connection is unauthorized
""",
    ),
    (
        "crashloop_app_error",
        """Traceback (most recent call last):
  File "/srv/app/main.py", line 12, in <module>
    run()
  File "/srv/app/main.py", line 8, in run
    raise ValueError("tariff table has no row for 2026")
ValueError: tariff table has no row for 2026
""",
    ),
)
