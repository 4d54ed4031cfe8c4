"""Who is measured, and how each is started."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.bench.gateway.bodies import Case, Request, check_contract, check_protocol
from tests.bench.gateway.figures import COMPILED, DIRECT, OURS, REFERENCE
from tests.bench.gateway.programs import debian, go_program, pinned_version
from tests.cluster.progress import Progress
from tests.gateway import compiled as compiled_form
from tests.gateway import environments
from tests.gateway.environments import KSERVE, MLSERVER

ROOT = Path(__file__).parents[3]
_HERE = Path(__file__).parent
_OURS = "import sys; from modelyard.cli.main import main; sys.exit(main())"

_INFER = "/v2/models/echo/infer"
_PREFIX = "/model"
PREDICT = f"{_PREFIX}/predict_no_state/"


@dataclass(frozen=True, slots=True)
class Peer:
    """A server under measurement."""

    name: str
    title: str
    command: Sequence[str]
    path: str
    environ: Mapping[str, str] = field(default_factory=dict)
    lacks: frozenset[str] = frozenset()
    """Names of the cases that it cannot be asked."""

    @property
    def translates(self) -> bool:
        """Whether it is asked by the protocol, and not as a model is."""
        return self.path == _INFER

    def request(self, case: Case) -> Request:
        """What it is asked."""
        return case.protocol if self.translates else case.contract

    def check(self, case: Case, answer: bytes) -> None:
        """Raises bodies.Wrong unless it answered right."""
        return check_protocol(case, answer) if self.translates else check_contract(case, answer)


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a peer listens, where the model is, and a folder for its files."""

    port: int
    model: int
    home: Path
    spare: tuple[int, int]
    """Two more ports, for those that cannot do without."""

    progress: Progress


def model(port: int, progress: Progress) -> Peer:
    """The model itself, asked without a proxy."""
    command = [str(go_program("model", progress)), "-port", str(port)]
    return Peer(DIRECT, "the model, asked directly", command, PREDICT)


def nginx(setting: Setting) -> Peer:
    """nginx of Debian: one worker, connections to the model kept, bodies in memory, no log."""
    packages = debian(setting.progress)
    file = setting.home / "nginx.conf"
    file.write_text(_NGINX.format(home=setting.home, port=setting.port, model=setting.model))
    command = [str(packages.program("nginx")), "-c", str(file), "-p", str(setting.home), "-e", "stderr"]
    return Peer("nginx", "nginx", command, PREDICT, packages.environ)


_NGINX = """\
daemon off;
user root;
worker_processes 1;
pid {home}/nginx.pid;
error_log stderr;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_max_body_size 0;
  client_body_buffer_size 4m;
  client_body_temp_path {home}/body;
  proxy_temp_path {home}/proxy;
  fastcgi_temp_path {home}/fastcgi;
  uwsgi_temp_path {home}/uwsgi;
  scgi_temp_path {home}/scgi;
  keepalive_requests 1000000000;
  upstream model {{ server 127.0.0.1:{model}; keepalive 64; keepalive_requests 1000000000; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://model;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }}
  }}
}}
"""


def haproxy(setting: Setting) -> Peer:
    """HAProxy of Debian: one thread, connections to the model shared, no log."""
    packages = debian(setting.progress)
    file = setting.home / "haproxy.cfg"
    file.write_text(_HAPROXY.format(port=setting.port, model=setting.model))
    command = [str(packages.program("haproxy")), "-f", str(file), "-db"]
    return Peer("haproxy", "HAProxy", command, PREDICT, packages.environ)


_HAPROXY = """\
global
  nbthread 1
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  http-reuse always
frontend here
  bind 127.0.0.1:{port}
  default_backend model
backend model
  server model 127.0.0.1:{model}
"""


def reverse(setting: Setting) -> Peer:
    """httputil.ReverseProxy of Go."""
    program = go_program("reverse", setting.progress)
    command = [str(program), "-listen", f"127.0.0.1:{setting.port}"]
    return Peer("reverse", "Go's ReverseProxy", [*command, "-model", _model(setting)], PREDICT)


def translating(setting: Setting) -> Peer:
    """The proxy in Go that does the same protocol work: the reference."""
    program = go_program("translating", setting.progress)
    command = [str(program), "-listen", f"127.0.0.1:{setting.port}", "-model", _model(setting) + _PREFIX]
    return Peer(REFERENCE, "translating proxy in Go", command, _INFER)


def _model(setting: Setting) -> str:
    return f"http://127.0.0.1:{setting.model}"


def mlserver(setting: Setting) -> Peer:
    """MLServer with the echo model in its own process."""
    python = environments.python(MLSERVER, setting.progress)
    shutil.copy(_HERE / "echo_mlserver.py", setting.home)
    implementation = {"name": "echo", "implementation": "echo_mlserver.Echo"}
    (setting.home / "model-settings.json").write_text(json.dumps(implementation))
    grpc, metrics = setting.spare
    settings = {
        "host": "127.0.0.1",
        "http_port": setting.port,
        "grpc_port": grpc,
        "metrics_port": metrics,
        "metrics_dir": str(setting.home),
        "debug": False,
        "parallel_workers": 0,
    }
    (setting.home / "settings.json").write_text(json.dumps(settings))
    command = [str(python), "-m", "mlserver.cli.main", "start", str(setting.home)]
    environ = environments.variables()
    return Peer("mlserver", "MLServer", command, _INFER, environ, frozenset({"tensor"}))


def kserve(setting: Setting) -> Peer:
    """KServe's Python server with the echo model in its own process."""
    python = environments.python(KSERVE, setting.progress)
    command = [str(python), str(_HERE / "echo_kserve.py"), "--http_port", str(setting.port)]
    command += ["--enable_grpc", "false", "--enable_latency_logging", "false"]
    return Peer("kserve", "KServe's Python server", command, _INFER, environments.variables())


def modelyard(setting: Setting) -> Peer:
    """Our gateway as its image runs it, with all that it does by itself: metrics, log, limits."""
    file = setting.home / "routes.json"
    file.write_text(json.dumps(routes(setting.model)))
    listen = ["--host", "127.0.0.1", "--port", str(setting.port), "--admin-port", str(setting.spare[0])]
    command = [sys.executable, "-c", _OURS, "gateway", "--routes", str(file), *listen, "--workers", "1"]
    environ = {"PYTHONPATH": str(ROOT / "operator")}
    return Peer(OURS, "modelyard gateway", command, _INFER, environ)


def compiled(setting: Setting) -> Peer:
    """The same with its hot path compiled. Raises tests.gateway.compiled.NotCompiled."""
    package = compiled_form.operator(setting.home / "package", setting.progress)
    environ = {"PYTHONPATH": str(package)}
    return replace(modelyard(setting), name=COMPILED, title="modelyard gateway, compiled", environ=environ)


def routes(port: int) -> dict[str, object]:
    """The routes of the gateway: one model."""
    version = {"label": "1.0", "pods": [f"127.0.0.1:{port}"]}
    target = {"type": "Regression", "name": "y"}
    return {"models": [{"name": "echo", "target": target, "urlPrefix": _PREFIX, "versions": [version]}]}


PEERS: Mapping[str, Callable[[Setting], Peer]] = {
    OURS: modelyard,
    COMPILED: compiled,
    REFERENCE: translating,
    "reverse": reverse,
    "nginx": nginx,
    "haproxy": haproxy,
    "mlserver": mlserver,
    "kserve": kserve,
}
"""By name, in the order of the table."""


def versions(names: Iterable[str], progress: Progress) -> dict[str, str]:
    """Of the peers that are not made here, the versions that ran."""
    return {name: say(progress) for name, say in _VERSIONS.items() if name in names}


_VERSIONS: Mapping[str, Callable[[Progress], str]] = {
    "nginx": lambda progress: debian(progress).version("nginx"),
    "haproxy": lambda progress: debian(progress).version("haproxy"),
    "mlserver": lambda _: pinned_version(MLSERVER.lock, "mlserver"),
    "kserve": lambda _: pinned_version(KSERVE.lock, "kserve"),
}
