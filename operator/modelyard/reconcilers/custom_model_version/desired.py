"""What should exist for a version, and what should not. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from modelyard.api.kinds import NETWORK_POLICY, POD_DISRUPTION_BUDGET
from modelyard.manifests.code import code_digest, code_map, code_map_name
from modelyard.manifests.frozen import Frozen
from modelyard.manifests.gate_test import gate_test
from modelyard.manifests.metadata import Manifest
from modelyard.manifests.pod_template import Rendering, render
from modelyard.manifests.workload import children
from modelyard.reconcilers.custom_model_version.facts import Facts
from modelyard.roles.roles import Role, columns_of
from modelyard.settings import Settings


@dataclass(frozen=True, slots=True)
class Plan:
    """Objects to apply, in order, and objects to delete."""

    apply: tuple[Manifest, ...] = ()
    delete: tuple[Manifest, ...] = ()


def freeze(facts: Facts, settings: Settings) -> Facts:
    """With the workload frozen where it is time for it: from what is kept, else rendered now."""
    if facts.frozen or not _may_freeze(facts):
        return facts
    rendered = _rendered(facts, settings)
    return replace(facts, frozen=rendered) if rendered and _may_run(facts, rendered) else facts


def desired(facts: Facts, settings: Settings) -> Plan:
    """Children of a version that has a frozen workload; nothing before that."""
    frozen = facts.frozen
    if frozen is None and facts.role in (Role.SUPERSEDED, Role.REJECTED) and not facts.draining:
        return Plan((), tuple(_surplus(facts, serves=False)))  # what is left of one whose record was lost
    if frozen is None or facts.model is None or not (facts.deployment or facts.wanted):
        return Plan()
    if facts.role is Role.UNLABELLED:
        return (
            Plan()
        )  # it has run before, so the ledger is lost: whatever runs stays until there is one again
    serves = facts.role is Role.SERVING
    made = children(
        frozen,
        facts.owner,
        replicas=facts.wanted,
        serves=serves,
        callers=facts.model.spec.callers,
        columns=columns_of(facts.fact, frozen.template_hash),
        settings=settings,
    )
    return Plan((*_code(facts), *made, *_tests(facts)), tuple(_surplus(facts, serves=serves)))


def _surplus(facts: Facts, *, serves: bool) -> Iterator[Manifest]:
    """Children that this version should not have: a budget unless it serves, and all of a workload that is not
    the frozen one, whose pods would get its traffic untested. Walls stand for as long as there are pods."""
    ours = {facts.code_map, facts.frozen.workload if facts.frozen else None}
    for child in facts.children:
        name, kind = child["metadata"]["name"], child["kind"]
        needed = serves if kind == POD_DISRUPTION_BUDGET.name else True
        stands = kind == NETWORK_POLICY.name and name in facts.peopled
        if not (name in ours and needed) and not stands:
            yield child


def _may_freeze(facts: Facts) -> bool:
    return facts.model is not None and facts.role in (Role.CANDIDATE, Role.SERVING)


def _may_run(facts: Facts, rendered: Frozen) -> bool:
    """What serves is never replaced by a template that was not tested, whatever became of the record."""
    if facts.role is not Role.SERVING:
        return True
    verdict = facts.fact.verdict if facts.fact else None
    return verdict is not None and verdict.template_hash == rendered.template_hash


def _rendered(facts: Facts, settings: Settings) -> Frozen | None:
    environment, fact, model = facts.chosen_environment, facts.fact, facts.model
    files = facts.source.files
    if (
        environment is None
        or environment.status.image is None
        or fact is None
        or model is None
        or files is None
    ):
        return None
    meta, spec, digest = facts.version.metadata, facts.version.spec, code_digest(files)
    rendering = Rendering(
        namespace=meta.namespace,
        model_name=model.metadata.name,
        model=model.spec,
        key=facts.key,
        label=fact.label,
        version=spec,
        environment=environment.spec,
        image=environment.status.image,
        code=files,
        code_map=code_map_name(meta.name, key=facts.key, digest=digest),
    )
    return Frozen(
        key=facts.key,
        version=meta.name,
        label=fact.label,
        model=model.metadata.name,
        template=render(rendering, settings),
        replicas=spec.replicas,
        requires_ha=spec.requires_ha,
        egress=spec.network_egress_policy,
        startup_seconds=spec.startup.timeout_seconds,
        image=environment.status.image,
        code_digest=digest,
        environment=spec.environment_ref.name,
        environment_number=environment.spec.number,
    )


def _code(facts: Facts) -> list[Manifest]:
    """The code's ConfigMap, when it is missing and the files at hand are the frozen ones."""
    frozen, files = facts.frozen, facts.source.files
    if frozen is None or files is None or facts.code_exists or code_digest(files) != frozen.code_digest:
        return []
    return [code_map(facts.owner, version=frozen.version, model=frozen.model, key=frozen.key, files=files)]


def _tests(facts: Facts) -> list[Manifest]:
    """The gate's tests, once the candidate runs; `gate` is only known when they are to be made."""
    if facts.frozen is None or facts.gate is None:
        return []
    return [gate_test(facts.frozen, facts.owner, test) for test in facts.gate]


def template_is_modified(facts: Facts) -> list[str]:
    """Names of containers in the live template that are not ours (a sidecar, say)."""
    if facts.frozen is None or facts.deployment is None:
        return []
    ours = {container["name"] for container in facts.frozen.template["spec"]["containers"]}
    spec = facts.deployment["spec"]["template"]["spec"]
    live = [
        container["name"] for part in ("initContainers", "containers") for container in spec.get(part, [])
    ]
    return [name for name in live if name not in ours]
