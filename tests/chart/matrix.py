"""The values that the chart is rendered with: one set for each way in which people run it."""

from devstack.declaration import declaration
from tests.chart.charts import DIGEST, MINIMAL, Object, merged

DIGESTS: Object = {
    "kong": {"image": {"digest": DIGEST}},
    "processes": {
        process.name: {"image": {"digest": DIGEST}} for process in declaration().deployed().processes.values()
    },
}
PRODUCTION: Object = {
    **DIGESTS,
    "publicOrigin": "https://shop.example",
    "apiHost": "api.shop.example",
    "existingSecret": "gatehouse",
    "trustedProxies": {"pods": ["10.42.0.0/16"], "ingress": ["10.42.0.0/16"]},
}

MATRIX: dict[str, tuple[tuple[str, ...], Object]] = {
    "minimal": ((), MINIMAL),
    "small": (("values-small.yaml",), MINIMAL),
    "production": (("values-production.yaml",), PRODUCTION),
    "everything on": (
        ("values-production.yaml",),
        merged(
            PRODUCTION,
            {
                "ingress": {"enabled": True, "className": "traefik", "tlsSecret": "gatehouse-tls"},
                "autoscaling": {"inFlight": 8},
                "verticalPodAutoscaler": {"enabled": True},
                "images": {"registry": "registry.example/shop", "pullSecrets": [{"name": "registry"}]},
                "redis": {"tls": True, "caSecret": "redis-ca"},
                "nodeSelector": {"pool": "shop"},
                "tolerations": [{"key": "pool", "operator": "Exists"}],
                "priorityClassName": "shop",
                "commonLabels": {"team": "shop"},
                "serviceAccount": {"annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/shop"}},
                "processes": {
                    "catalog": {"secrets": ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]},
                    "auth": {"existingSecret": "auth", "podAnnotations": {"a": "b"}, "cpu": 1},
                },
            },
        ),
    ),
    "stores elsewhere": (
        (),
        merged(
            MINIMAL,
            {
                "redis": {
                    "options": "cluster=true",
                    "furtherPorts": [6380],
                    "peers": [{"ipBlock": {"cidr": "10.1.0.0/16"}}],
                },
                "postgresql": {"peers": [{"ipBlock": {"cidr": "10.1.0.0/16"}}]},
            },
        ),
    ),
    "nothing that is optional": (
        (),
        merged(MINIMAL, {"networkPolicy": {"enabled": False}, "podDisruptionBudget": {"enabled": False}}),
    ),
}
