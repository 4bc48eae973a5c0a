"""Who brings an object back to what stands in a repository."""

from collections.abc import Iterable

from app.kubectl.cluster_object import ClusterObject

_TRACKING = "argocd.argoproj.io/tracking-id"
_ARGO_INSTANCE = "argocd.argoproj.io/instance"
_INSTANCE = "app.kubernetes.io/instance"
_ARGO = "argocd.argoproj.io/"
_FLUX = {"kustomize.toolkit.fluxcd.io": "Kustomization", "helm.toolkit.fluxcd.io": "HelmRelease"}


def gitops_owner(objects: Iterable[ClusterObject]) -> str | None:
    """The application that owns one of them: an object, then the ones that own it."""
    return next((name for found in objects if (name := _argo(found) or _flux(found))), None)


def _argo(found: ClusterObject) -> str | None:
    if tracking := found.annotations.get(_TRACKING):
        return f"Argo CD application {tracking.partition(':')[0]}"
    if application := found.labels.get(_ARGO_INSTANCE) or found.annotations.get(_ARGO_INSTANCE):
        return f"Argo CD application {application}"
    if any(name.startswith(_ARGO) for name in found.annotations):
        application = found.labels.get(_INSTANCE)
        return f"Argo CD application {application}" if application else "Argo CD"
    return None


def _flux(found: ClusterObject) -> str | None:
    for group, kind in _FLUX.items():
        if name := found.labels.get(f"{group}/name"):
            namespace = found.labels.get(f"{group}/namespace")
            return f"Flux {kind} {namespace}/{name}" if namespace else f"Flux {kind} {name}"
    return None
