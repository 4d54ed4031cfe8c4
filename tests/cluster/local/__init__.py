"""A real Kubernetes on one Linux machine, without systemd or Docker.

    machine  ── bridge my0 10.90.0.1 ──┬── my-n1    10.90.0.11   containerd, kubelet, kube-proxy, kube-router
    etcd, API server,                  ├── my-n2    10.90.0.12   the same
    controllers, scheduler,            └── my-inet  10.90.0.200  a pretended internet: 198.51.100.10
    registry

Every node is a network namespace, so the machine's own firewall and routes stay as they are, and taking a node
away is deleting its namespace. No namespace has a default route: no packet of a pod leaves the machine.
"""
