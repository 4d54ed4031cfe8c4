"""What the options of `try` and `check` ask for, and which make no sense."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from modelyard.cli.model_file import ModelFile, model_in
from modelyard.cli.model_options import Asked, add_options, asked_for, data_of
from modelyard.cli.usage import UsageError

MODEL = """
apiVersion: modelyard.dev/v1alpha1
kind: ExecutionEnvironment
metadata: {name: own}
spec: {image: x, startCommand: [./serve, --fast]}
---
apiVersion: modelyard.dev/v1alpha1
kind: CustomModelVersion
metadata: {name: hello-10}
spec:
  modelRef: {name: hello}
  label: "10.0"
  environmentRef: {name: own}
  source: {configMap: {name: code}}
  environmentVariables: [{name: LEVEL, value: "10"}]
---
apiVersion: modelyard.dev/v1alpha1
kind: CustomModelVersion
metadata: {name: hello-9}
spec: {modelRef: {name: hello}, label: "9.1", environmentRef: {name: other}, source: {configMap: {name: code}}}
---
apiVersion: modelyard.dev/v1alpha1
kind: CustomModel
metadata: {name: hello}
spec:
  targetType: Binary
  targetName: bad
  positiveClassLabel: "yes"
  negativeClassLabel: "no"
  gate:
    tests:
      - name: first
        dataset: {configMap: {name: rows}}
        configuration: {sideEffects: fail, tolerance: {absolute: 0.5}, sampleRows: 7}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: code}
"""


@pytest.fixture
def model_file(tmp_path: Path) -> str:
    path = tmp_path / "model.yaml"
    path.write_text(MODEL)
    return f"--file={path}"


def asked(*arguments: str) -> Asked:
    parser = argparse.ArgumentParser()
    add_options(parser)
    return asked_for(parser.parse_args(arguments), "nameless")


def test_without_options_a_regression_is_assumed_and_said() -> None:
    found = asked("--data=rows.csv")

    assert (found.name, found.label, found.model.target_type) == ("nameless", "1.0", "Regression")
    assert found.remarks == ("taken as a Regression model; --target-type or -f model.yaml say otherwise",)


def test_a_file_says_all(model_file: str) -> None:
    found = asked(model_file, "--data=rows.csv")

    assert (found.name, found.label) == ("hello", "10.0")
    assert found.model.labels() == ("yes", "no")
    assert found.variables == {"LEVEL": "10"}
    assert found.start_command == ("./serve", "--fast")
    assert found.configuration.side_effects == "fail"
    assert (found.configuration.tolerance.absolute, found.configuration.sample_rows) == (0.5, 7)
    assert found.remarks == ()


def gate(*tests: str, version: str = "") -> ModelFile:
    """The model of a file whose gate has these tests."""
    listed = "".join(f"      - {test}\n" for test in tests)
    return model_in(f"{HEAD}{listed}{version}")


HEAD = """
apiVersion: modelyard.dev/v1alpha1
kind: CustomModel
metadata: {name: hello}
spec:
  targetType: Regression
  targetName: price
  gate:
    tests:
"""
VERSION = """---
apiVersion: modelyard.dev/v1alpha1
kind: CustomModelVersion
metadata: {name: hello-1}
spec: {modelRef: {name: hello}, environmentRef: {name: own}, source: {configMap: {name: code}}, %s}
"""
ROWS = "dataset: {configMap: {name: rows}}"
OFF = "errorCheck: skip, nullValueImputation: skip, sideEffects: skip"


@pytest.mark.parametrize(
    ("tests", "words", "remark"),
    [
        ([f"{{name: one, {ROWS}}}"], ("fail", "warn", "warn"), ""),
        (
            [
                f"{{name: one, {ROWS}, configuration: {{{OFF}}}}}",
                f"{{name: two, {ROWS}, configuration: {{nullValueImputation: fail, sideEffects: skip}}}}",
            ],
            ("fail", "fail", "skip"),
            'checks are as strict as the strictest of the gate\'s tests "one", "two"',
        ),
        (
            [
                f"{{name: one, {ROWS}, configuration: {{sideEffects: fail}}, required: false}}",
                f"{{name: two, {ROWS}, configuration: {{sideEffects: skip}}}}",
                "{name: three, configuration: {errorCheck: skip}}",
            ],
            ("fail", "warn", "skip"),
            'checks are those of the gate\'s test "two"; '
            'left out: "one" (it is not required), "three" (it has no data)',
        ),
        (
            ["{name: one, configuration: {errorCheck: skip}, required: false}"],
            ("skip", "warn", "warn"),
            "",
        ),
    ],
)
def test_each_check_is_as_strict_as_the_strictest_test_of_the_gate_that_counts(
    tests: list[str], words: tuple[str, ...], remark: str
) -> None:
    found = gate(*tests)

    checks = found.configuration
    assert (checks.error_check, checks.null_value_imputation, checks.side_effects) == words
    assert found.remark == remark


def test_the_smallest_tolerance_and_the_largest_sample_are_taken_of_tests_that_use_them() -> None:
    found = gate(
        f"{{name: one, {ROWS}, configuration: {{tolerance: {{absolute: 0.5, relative: 0.1}}, sampleRows: 7}}}}",
        f"{{name: two, {ROWS}, configuration: {{tolerance: {{absolute: 0.1, relative: 0.5}}, sampleRows: 9}}}}",
        f"{{name: three, {ROWS}, configuration: {{{OFF}, tolerance: {{absolute: 0}}, sampleRows: 900}}}}",
    ).configuration

    assert found.tolerance.model_dump() == {"absolute": 0.1, "relative": 0.1}
    assert found.sample_rows == 9


def test_the_time_to_start_is_that_of_the_version_or_what_versions_have() -> None:
    longer = VERSION % "startup: {timeoutSeconds: 900}"

    assert gate("{name: one}").startup_seconds == 300
    assert gate("{name: one}", version=VERSION % "").startup_seconds == 300
    assert gate("{name: one}", version=longer).startup_seconds == 900


RESERVED = (
    "is reserved: the platform sets CLASS_LABELS, CODE_DIR, HOME, MODEL_NAME, MODEL_VERSION, NEGATIVE_CLASS_LABEL, "
    "PORT, POSITIVE_CLASS_LABEL, PREDICTION_THRESHOLD, TARGET_NAME, TARGET_TYPE, URL_PREFIX and everything that starts "
    "with LD_ or KUBERNETES_; choose another name"
)


def test_a_number_without_a_point_is_a_number_as_in_the_cluster() -> None:
    found = gate(
        "{name: one, dataset: {configMap: {name: rows}}, configuration: {tolerance: {absolute: 1e-3}}}"
    )

    assert found.configuration.tolerance.absolute == 1e-3


@pytest.mark.parametrize("text", ["!!int x", "!!bool x", "[" * 1000, r'"\ud800"'])
def test_text_that_yaml_stumbles_over_is_told(text: str) -> None:
    with pytest.raises(UsageError, match=r"^is not YAML: [^\n]+$"):
        model_in(text)


@pytest.mark.parametrize("label", ["v1", "2020", "01.0"])
def test_a_label_that_the_cluster_would_refuse_is_refused(label: str) -> None:
    with pytest.raises(UsageError) as refused:
        gate("{name: one}", version=VERSION % f'label: "{label}"')

    assert str(refused.value) == (
        f"CustomModelVersion hello-1: spec.label is {label!r}: must be major.minor, two whole numbers of at most 9 "
        "digits without leading zeros, for example '1.0'"
    )


@pytest.mark.parametrize(
    ("variable", "problem"),
    [
        ("name: PORT, value: '1'", f"name is 'PORT': {RESERVED}"),
        ("name: LD_PRELOAD", f"name is 'LD_PRELOAD': {RESERVED}"),
        (
            "name: A=B",
            "name is 'A=B': must be letters, digits and '_', not starting with a digit, for example LOG_LEVEL",
        ),
        ('name: A, value: "\\0"', "value is '\\x00': must not hold a NUL character; remove it"),
    ],
)
def test_a_variable_that_the_cluster_would_refuse_is_refused(variable: str, problem: str) -> None:
    with pytest.raises(UsageError) as refused:
        gate("{name: one}", version=VERSION % f"environmentVariables: [{{{variable}}}]")

    assert str(refused.value) == f"CustomModelVersion hello-1: spec.environmentVariables[0].{problem}"


def test_blanks_around_a_class_label_are_none_of_it() -> None:
    found = asked("--data=rows.csv", "--target-type=Multiclass", "--class-labels=very cheap, usual ,dear")

    assert found.model.class_labels == ["very cheap", "usual", "dear"]


def test_options_override_the_file(model_file: str) -> None:
    found = asked(
        model_file,
        "--data=rows.csv",
        "--target-name=good",
        "--positive-label=1",
        "--check=sideEffects=skip",
        "--tolerance=0.001",
        "--sample-rows=3",
    )

    assert (found.model.target_name, found.model.labels()) == ("good", ("1", "no"))
    assert found.configuration.side_effects == "skip"
    assert found.configuration.tolerance.model_dump() == {"absolute": 0.001, "relative": 0.001}
    assert found.configuration.sample_rows == 3


def test_another_target_type_drops_the_labels_of_the_file(model_file: str) -> None:
    found = asked(model_file, "--data=rows.csv", "--target-type=Multiclass", "--class-labels=a,b,c")

    assert found.model.class_labels == ["a", "b", "c"]
    assert found.model.positive_class_label is None


@pytest.mark.parametrize(
    ("data", "data_format", "found"),
    [("a.csv", None, "csv"), ("a.JSON", None, "json"), ("a.txt", "csv", "csv"), ("a.csv", "json", "json")],
)
def test_the_format_of_data_goes_by_its_name_unless_it_is_said(
    data: str, data_format: str | None, found: str
) -> None:
    said = [f"--data-format={data_format}"] if data_format else []

    assert asked(f"--data={data}", *said).data_format == found


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--check=sideEffect=fail"], "there is no check 'sideEffect'; did you mean sideEffects? (there are"),
        (["--check=sideEffects"], "--check is NAME=WORD, as sideEffects=fail, not 'sideEffects'"),
        (["--check=sideEffects=no"], "--check sideEffects can be skip or warn or fail, not 'no'"),
        (["--check=errorCheck=warn"], "--check errorCheck can be fail or skip, not 'warn'"),
        (["--check=longRunningService=skip"], "--check longRunningService can be fail, not 'skip'"),
        (["--check=errorCheck=fail"], "--check errorCheck=fail needs rows to predict: give --data FILE"),
        (["--tolerance=x"], "--tolerance must be a number from 0 to 1, as 1e-6, not 'x'"),
        (["--tolerance=nan"], "--tolerance must be a number from 0 to 1, as 1e-6, not 'nan'"),
        (["--sample-rows=0"], "--sample-rows must be from 1 to 1000, not 0"),
        (["--timeout=0"], "--timeout must be at least 1 second, not 0"),
        (["--data=a.txt"], "a.txt: is this csv or json? Say --data-format csv (or json)"),
        (
            ["--positive-label=a"],
            "positive and negative label are for Binary models, and this one is Regression",
        ),
        (["--target-type=Binary", "--positive-label=a"], "positive and negative label belong together"),
        (
            ["--target-type=Binary", "--positive-label=a", "--negative-label=a"],
            "positive and negative label are both 'a'; they must differ",
        ),
        (["--class-labels=a,b"], "class labels are for Multiclass models, and this one is Regression"),
        (["--target-type=Multiclass"], "a Multiclass model needs its classes: --class-labels a,b,c"),
        (["--target-type=Multiclass", "--class-labels=a,b,a"], "a class label is there twice"),
        (["--target-type=Multiclass", "--class-labels=a"], "the model cannot be like that: classLabels: "),
        (["--target-name="], "the model cannot be like that: targetName: "),
        (
            ["--file=absent.yaml"],
            "absent.yaml cannot be read: No such file or directory; give the path of one that is there",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: list[str], problem: str) -> None:
    with pytest.raises(UsageError) as refused:
        asked(*arguments)

    assert str(refused.value).startswith(problem)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "holds no CustomModel"),
        ("just text", "holds no CustomModel"),
        ("{kind: CustomModel, apiVersion: elsewhere/v1}", "holds no CustomModel"),
        (MODEL + "---" + MODEL, "holds 2 CustomModels (hello, hello)"),
        ("a: [", "is not YAML: "),
        (
            MODEL.replace("{name: hello}\nspec:\n", "{name: on call}\nspec:\n"),
            "CustomModel 'on call': its name must be at most 52 lower-case letters",
        ),
        (MODEL.replace("targetType: Binary", ""), "CustomModel hello: spec.targetType: Field required"),
        ("apiVersion: modelyard.dev/v1alpha1\nkind: CustomModel", "CustomModel : spec."),
        (MODEL.replace('"10.0"', "{}", 1), "CustomModelVersion hello-10: spec."),
    ],
)
def test_a_file_that_holds_no_model_says_why(text: str, problem: str) -> None:
    with pytest.raises(UsageError) as refused:
        model_in(text)

    assert str(refused.value).startswith(problem)


def test_rows_that_are_not_there_are_told_with_the_next_step(tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"

    with pytest.raises(UsageError) as refused:
        data_of(asked(f"--data={rows}"))

    assert str(refused.value) == (
        f"data set {rows} cannot be read: No such file or directory; give the path of one that is there"
    )
