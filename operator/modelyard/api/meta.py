"""What all our types share: the base class, object metadata, conditions, references, selectors."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, GetJsonSchemaHandler
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from modelyard.api.kinds import Kind
from modelyard.api.markers import (
    VALIDATIONS,
    Column,
    Rule,
    as_list_map,
    as_list_set,
    atomic,
    dns_label,
    dns_subdomain,
)
from modelyard.api.remembered import remembered


class ApiModel(BaseModel):
    """Base of everything users or the API server write as camelCase JSON.

    Frozen. Unknown fields are ignored, so that objects of a newer release still parse. The string under a
    field is its description in the CRD: what `kubectl explain` prints.
    """

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        frozen=True,
        extra="ignore",
        use_attribute_docstrings=True,
    )
    __test__: ClassVar[bool] = False  # pytest would collect classes that are called Test...

    rules: ClassVar[tuple[Rule, ...]] = ()
    """CEL rules over this object as a whole; the API server enforces them."""

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler.resolve_ref_schema(handler(core))
        if cls.rules:
            schema[VALIDATIONS] = [rule.to_json() for rule in cls.rules]
        return schema

    @classmethod
    def of(cls, manifest: Mapping[str, Any]) -> Self:
        """Parsed from JSON that nobody changes, as the cache holds it: once, however many passes read it."""
        found = _parsed(manifest, cls)
        assert isinstance(found, cls)
        return found

    def to_json(self) -> dict[str, Any]:
        """As JSON for the API server: camelCase, absent instead of null, times as RFC 3339."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


_PARSED = 512
"""Objects that are kept parsed: enough for those around the passes under way, few beside the cache."""


@remembered(_PARSED)
def _parsed(manifest: Mapping[str, Any], model: type[ApiModel]) -> ApiModel:
    return model.model_validate(manifest)


def _whole_seconds(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC).replace(microsecond=0)
    except OverflowError:
        raise ValueError("the moment is of no year from 1 to 9999 in UTC") from None


Timestamp = Annotated[AwareDatetime, AfterValidator(_whole_seconds)]
"""A moment in UTC, cut to whole seconds as the API server keeps it, so that it survives a round trip."""

DnsLabel = Annotated[str, Field(min_length=1, max_length=63), dns_label()]
DnsSubdomain = Annotated[str, Field(min_length=1, max_length=253), dns_subdomain()]


class OwnerReference(ApiModel):
    """The object that owns this one: when the owner goes, so does this."""

    api_version: str
    kind: str
    name: str
    uid: str
    controller: bool = False


class ObjectMeta(ApiModel):
    """The metadata that the operator reads."""

    name: str
    namespace: str
    uid: str
    generation: int = 0
    resource_version: str = ""
    creation_timestamp: Timestamp
    deletion_timestamp: Timestamp | None = None
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    owner_references: list[OwnerReference] = []


ConditionStatus = Literal["True", "False", "Unknown"]


class Condition(ApiModel):
    """One aspect of the state of the object, with the reason and what to do next."""

    type: Annotated[str, Field(min_length=1, max_length=316)]
    """Which aspect, for example Ready."""

    status: ConditionStatus
    """True, False, or Unknown while it is not known yet."""

    reason: Annotated[str, Field(min_length=1, max_length=1024)]
    """One word in CamelCase that says why; stable, meant for programs."""

    message: Annotated[str, Field(max_length=32768)] = ""
    """The cause and the next step, meant for people."""

    observed_generation: int = 0
    """The metadata.generation that this condition was computed from; older means out of date."""

    last_transition_time: Timestamp
    """When `status` last changed."""


Conditions = Annotated[list[Condition], Field(max_length=32), as_list_map("type")]


class LocalRef(ApiModel):
    """Names an object of the same namespace."""

    name: DnsSubdomain
    """Name of the object, in the same namespace."""


class ObjectRef(ApiModel):
    """Names an object of ours in the same namespace."""

    name: DnsLabel
    """Name of the object, in the same namespace."""


class LabelRequirement(ApiModel):
    """One requirement on the labels of an object."""

    key: Annotated[str, Field(min_length=1, max_length=317)]
    """The label's key."""

    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"]
    """How the label's value relates to `values`."""

    values: Annotated[list[Annotated[str, Field(max_length=63)]], Field(max_length=32), as_list_set()] = []
    """Values for In and NotIn; must be absent for Exists and DoesNotExist."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "(self.operator in ['In', 'NotIn']) == (has(self.values) && size(self.values) > 0)",
            "values must be given for In and NotIn and must be absent for Exists and DoesNotExist",
            ".values",
        ),
        Rule(
            "!format.qualifiedName().validate(self.key).hasValue()",
            "key must be a label's key, for example app or example.com/team",
            ".key",
        ),
        Rule(
            "!has(self.values) || self.values.all(v, !format.labelValue().validate(v).hasValue())",
            "values must be values of a label: at most 63 letters, digits, '-', '_' and '.'",
            ".values",
        ),
    )


class LabelSelector(ApiModel):
    """Selects objects by their labels; all requirements must hold; the empty selector selects everything."""

    match_labels: Annotated[
        dict[str, Annotated[str, Field(max_length=63)]], Field(max_length=32), atomic("map")
    ] = {}
    """Labels that must be there with exactly these values."""

    match_expressions: Annotated[list[LabelRequirement], Field(max_length=8), atomic("list")] = []
    """Further requirements on labels."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!has(self.matchLabels) || self.matchLabels.all(k, !format.qualifiedName().validate(k).hasValue()"
            " && !format.labelValue().validate(self.matchLabels[k]).hasValue())",
            "matchLabels must hold labels, for example app: front; keys like app or example.com/team, values of at"
            " most 63 letters, digits, '-', '_' and '.'",
            ".matchLabels",
        ),
    )


class Resource(ApiModel):
    """Base of the kinds: an object as the API server keeps it."""

    kind: ClassVar[Kind]
    columns: ClassVar[tuple[Column, ...]]
    """What `kubectl get` prints after the name."""

    unseen: ClassVar[Mapping[str, Any]] = {"observedGeneration": -1}
    """The status of an object that the operator has not seen, so that no tool takes a new object for a finished
    one."""

    metadata: ObjectMeta
