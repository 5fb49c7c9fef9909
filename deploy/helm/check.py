"""Checks the Helm chart and the manifests beside it; deploy/helm/check runs it.

The chart is linted and rendered with each file of tests/. Its objects must be valid for Kubernetes, and its pods hardened. Settings, options
and metrics that it names must be those of the server and the worker, and invalid values must be refused with a message that names them.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import kubernetes_validate
import yaml

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
CHART = HERE / "nola"
TOOLS = Path(sys.argv[1]).resolve()

# The oldest version that the chart allows, and a recent one.
VERSIONS = ["1.31", "1.37"]

# Objects of other projects, whose schemas Kubernetes does not have.
CUSTOM = {"ServiceMonitor", "PrometheusRule", "ScaledObject"}

# Metrics that Prometheus itself makes.
PROMETHEUS = {"up"}

# Changes to tests/default.yaml, and what their refusal says.
REFUSED = [
    (["database.url=postgresql://db/nola"], "'/database/url'"),
    (["database.url=jdbc:postgresql://db/nola?password=secret"], "'/database/url'"),
    (["database.passwordSecret.name="], "'/database/passwordSecret/name'"),
    (["registry.adminTokenSecret.name="], "'/registry/adminTokenSecret/name'"),
    (["registry.settings.nola\\.access\\.admin-token=secret"], "invalid propertyName 'nola.access.admin-token'"),
    (["registry.settings.nola\\.jobs\\.lease=true"], "'/registry/settings/nola.jobs.lease'"),
    (["registry.trustedProxies={ingress}"], "'/registry/trustedProxies/0'"),
    (["registry.replicas=0"], "'/registry/replicas'"),
    (["registry.replica=2"], "additional properties 'replica' not allowed"),
    (["registry.resources.limits=null"], "'/registry/resources'"),
    (["registry.autoscaling.enabled=true", "registry.autoscaling.maxReplicas=1"], "registry.autoscaling.maxReplicas: 1; must be at least"),
    (["blobs.store=nfs"], "'/blobs/store'"),
    (["blobs.store=s3"], "'/blobs/s3/bucket'"),
    (["blobs.store=s3", "blobs.s3.bucket=nola"], "registry.signingKeySecret.name"),
    (["blobs.folder.accessMode=ReadWriteOnce"], "several servers need ReadWriteMany"),
    (["ingress.enabled=true"], "'/ingress/host'"),
    (["ingress.enabled=true", "ingress.host=nola.example"], "registry.trustedProxies missing"),
    (["metrics.serviceMonitor.enabled=true"], "'/metrics/tokenSecret/name'"),
    (["workers.cpu.enabled=true"], "workers.tokenSecret.name missing"),
    (["workers.cpu.slots=0"], "'/workers/cpu/slots'"),
    (["workers.gpu.scaling.jobTypes={convert}"], "'/workers/gpu/scaling/jobTypes/0'"),
    (
        ["workers.gpu.enabled=true", "workers.tokenSecret.name=token", "workers.gpu.scaling.enabled=true"],
        "workers.prometheusUrl missing",
    ),
]

failures = []


def fail(text):
    failures.append(text)
    print("FAILED: " + text)


def helm(*args):
    return subprocess.run([TOOLS / "helm", *args], capture_output=True, text=True)


def render(values, *more):
    return helm("template", "nola", CHART, "--namespace", "nola", "--kube-version", VERSIONS[-1], "--values", values, *more)


def validate(name, objects):
    for each in objects:
        if each["kind"] in CUSTOM:
            continue
        for version in VERSIONS:
            try:
                kubernetes_validate.validate(each, version, strict=True)
            except kubernetes_validate.ValidationError as e:
                fail(f"{name}: {each['kind']} {each['metadata'].get('name')} invalid for Kubernetes {version}: {e.message}")


def pods(objects):
    """Returns the pods' specifications, with the kind and name of the object that makes them."""
    return [(f"{each['kind']} {each['metadata'].get('name')}", each["spec"]["template"]["spec"]) for each in objects if each["kind"] in ("Deployment", "Job")]


def check_hardening(name, objects):
    if any(each["kind"] == "Secret" for each in objects):
        fail(f"{name}: renders a Secret; secrets must only be referred to")
    for pod, spec in pods(objects):
        rules = {
            "runs as root": spec["securityContext"].get("runAsNonRoot") is True,
            "user differs from the images'": spec["securityContext"].get("runAsUser") == 10001,
            "has a token of Kubernetes": spec.get("automountServiceAccountToken") is False,
            "has variables of services": spec.get("enableServiceLinks") is False,
        }
        for container in spec["containers"] + spec.get("initContainers", []):
            security = container["securityContext"]
            rules |= {
                f"{container['name']} may escalate privileges": security.get("allowPrivilegeEscalation") is False,
                f"{container['name']} has a writable root": security.get("readOnlyRootFilesystem") is True,
                f"{container['name']} has capabilities": security.get("capabilities") == {"drop": ["ALL"]},
                f"{container['name']} has no memory limit": "memory" in container["resources"]["limits"],
            }
            for variable in container.get("env", []):
                secret = re.search("PASSWORD|SECRET|TOKEN|ACCESS_KEY", variable["name"])
                rules[f"{variable['name']} is a plain value"] = not secret or "secretKeyRef" in variable.get("valueFrom", {})
        for problem, holds in rules.items():
            if not holds:
                fail(f"{name}: {pod} {problem}")


def seconds(text):
    return int(text.removesuffix("s"))


def check_drain(name, objects):
    """A server must have the time to end that its own settings give it."""
    settings = yaml.safe_load((ROOT / "registry-server/src/main/resources/application.yaml").read_text())
    # Two schedulers, of recurring tasks and of webhooks, each of which waits twice: for its tasks, and again after interrupting them.
    schedulers = 2 * 2 * seconds(settings["db-scheduler"]["shutdown-max-wait"])
    source = (ROOT / "registry-server/src/main/java/dev/nola/registry/web/Drain.java").read_text()
    accepting, answering = map(int, re.findall(r"Duration\.ofSeconds\((\d+)\)", source))
    drain = accepting + answering
    needed = drain + seconds(settings["spring"]["lifecycle"]["timeout-per-shutdown-phase"]) + schedulers
    for pod, spec in pods(objects):
        container = spec["containers"][0]
        if container["name"] == "registry":
            wait = int(container["lifecycle"]["preStop"]["exec"]["command"][1])
            if spec["terminationGracePeriodSeconds"] < wait + needed:
                fail(f"{name}: {pod} is killed after {spec['terminationGracePeriodSeconds']} s; needs {wait} + {needed}")


def uniform(setting):
    return re.sub("[^a-z0-9]", "", setting.lower())


def documented_settings():
    readme = (ROOT / "registry-server/README.md").read_text()
    return {uniform(setting) for setting in re.findall(r"^\| `(nola\.[^`]+)` \|", readme, re.MULTILINE)} | {"nolaaccessadmintoken"}


def check_settings(name, objects):
    known = documented_settings()
    for pod, spec in pods(objects):
        container = spec["containers"][0]
        if container["name"] != "registry":
            continue
        args = container["args"]
        used = [value.split("=")[0] for option, value in zip(args, args[1:]) if option == "--set"]
        used += [variable["name"] for variable in container["env"] if variable["name"].startswith("NOLA_")]
        for volume in spec["volumes"]:
            for source in volume.get("projected", {}).get("sources", []):
                used += [item["path"] for item in source["secret"]["items"]]
        for setting in used:
            if uniform(setting).startswith("nola") and uniform(setting) not in known:
                fail(f"{name}: {pod} has the setting {setting}, which registry-server/README.md does not have")


def check_start(objects):
    """Lets a server check the settings that its container has, with secrets in files where the container has them."""
    secrets = {
        "nola.database.password": "database-password",
        "nola.access.admin-token": "0123456789abcdef0123456789abcdef",
        "nola.signing.key": subprocess.check_output(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"], text=True),
    }
    container = next(spec["containers"][0] for _, spec in pods(objects) if spec["containers"][0]["name"] == "registry")
    with tempfile.TemporaryDirectory() as folder:
        for name, value in secrets.items():
            (Path(folder) / name).write_text(value)
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("NOLA_", "SPRING_"))}
        environment |= {each["name"]: each["value"].replace("/run/secrets/nola", folder) for each in container["env"]}
        command = [ROOT / "nola", "serve", "--check", "--json", "--data", f"{folder}/data", *container["args"]]
        result = subprocess.run(command, env=environment, capture_output=True, text=True)
    try:
        outcomes = {each["check"]: each for each in json.loads(result.stdout)["checks"]}
    except (ValueError, KeyError):
        return fail(f"nola serve --check: {result.stdout}{result.stderr}")
    for subject in ("settings", "signing key"):
        if not outcomes[subject]["ok"]:
            fail(f"nola serve --check: {outcomes[subject]['detail']}")
    if outcomes["signing key"]["detail"] != "given by nola.signing.key":
        fail(f"nola serve --check: {outcomes['signing key']['detail']}; must be the Secret's")
    print("nola serve --check: " + outcomes["settings"]["detail"])


def check_options(name, objects):
    sources = ["trainer-worker/src/main/java/dev/nola/trainer/WorkerCommand.java", "client-sdk/command/src/main/java/dev/nola/command/RegistryOption.java"]
    known = set(re.findall(r'names = "(--[a-z-]+)"', "".join((ROOT / source).read_text() for source in sources)))
    for pod, spec in pods(objects):
        for container in spec["containers"]:
            if container["name"] == "worker":
                for option in container["args"]:
                    if option.startswith("--") and option not in known:
                        fail(f"{name}: {pod} has the option {option}, which nola worker does not have")


def environment(container):
    return {variable["name"]: variable.get("value") for variable in container.get("env", [])}


def check_gpu(name, objects):
    """Workers with a GPU need the image for them, and a registry that asks for verifications on them."""
    containers = [(each, container) for each in objects if each["kind"] == "Deployment" for container in each["spec"]["template"]["spec"]["containers"]]
    gpu = [container for each, container in containers if each["metadata"]["labels"].get("nola.dev/pool") == "gpu"]
    for _, container in containers:
        if container["name"] == "registry":
            args = [argument for argument in container["args"] if argument.startswith("nola.verification.backends=")]
            backends = args[0].split("=")[1] if args else environment(container).get("NOLA_VERIFICATION_BACKENDS", "")
            if not args and ("cuda" in backends.split(",")) != bool(gpu):
                fail(f"{name}: verifications are on {backends or 'the default backends'} with {len(gpu)} pools of GPU workers")
            if args and "NOLA_VERIFICATION_BACKENDS" in environment(container):
                fail(f"{name}: nola.verification.backends is set twice")
    for container in gpu:
        if not container["image"].endswith("-cuda"):
            fail(f"{name}: GPU workers have {container['image']}; must have the image of the Dockerfile's stage cuda")


def check_dockerfile():
    """The image of GPU workers must set the variables that the chart does not; GpuImageTest compares them with its files."""
    text = (ROOT / "trainer-worker/Dockerfile").read_text()
    stage = text.partition(" AS cuda\n")[2].partition("\nFROM ")[0]
    for variable in ("PYTORCH_LIBRARY_PATH", "LD_LIBRARY_PATH"):
        if f"ENV {variable}=" not in stage:
            fail(f"trainer-worker/Dockerfile: stage cuda does not set {variable}")
    if "/opt/pytorch/cudart/libcudart.so" not in text:
        fail("trainer-worker/Dockerfile: libcudart.so is not linked")


def metrics(expression):
    plain = re.sub(r'"[^"]*"', '""', expression)
    return set(re.findall(r"([a-zA-Z_][a-zA-Z0-9_]*)\s*\{", plain)) | set(re.findall(r"label_values\((\w+)", plain))


def texts(value):
    if isinstance(value, dict):
        return [text for each in value.values() for text in texts(each)]
    if isinstance(value, list):
        return [text for each in value for text in texts(each)]
    return [value] if isinstance(value, str) else []


def check_metrics(objects):
    """All metrics that are used must be in metrics.txt, which OperationsTest compares with a running server."""
    used = set()
    for each in objects:
        if each["kind"] == "PrometheusRule":
            used |= {metric for group in each["spec"]["groups"] for rule in group["rules"] for metric in metrics(rule["expr"])}
        elif each["kind"] == "ScaledObject":
            used |= {metric for trigger in each["spec"]["triggers"] for metric in metrics(trigger["metadata"]["query"])}
        elif each["kind"] == "ConfigMap":
            dashboard = json.loads(each["data"]["nola.json"])
            used |= {metric for text in texts(dashboard) for metric in metrics(text)}
    known = set((HERE / "metrics.txt").read_text().split())
    for metric in sorted(used - known - PROMETHEUS):
        fail(f"metric {metric} is used, but not in metrics.txt")
    for metric in sorted(known - used):
        fail(f"metric {metric} is in metrics.txt, but not used")


def check_rules(objects):
    for each in objects:
        if each["kind"] == "PrometheusRule":
            with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
                yaml.safe_dump({"groups": each["spec"]["groups"]}, file)
                file.flush()
                result = subprocess.run([TOOLS / "promtool", "check", "rules", file.name], capture_output=True, text=True)
                if result.returncode != 0:
                    fail("promtool: " + result.stdout + result.stderr)


def check_chart():
    everything = []
    for values in sorted((HERE / "tests").glob("*.yaml")):
        name = values.stem
        lint = helm("lint", "--strict", CHART, "--values", values)
        if lint.returncode != 0:
            fail(f"{name}: helm lint: {lint.stdout}{lint.stderr}")
        rendered = render(values)
        if rendered.returncode != 0:
            fail(f"{name}: helm template: {rendered.stderr}")
            continue
        objects = [each for each in yaml.safe_load_all(rendered.stdout) if each]
        for check in (validate, check_hardening, check_drain, check_settings, check_options, check_gpu):
            check(name, objects)
        if name == "all":
            check_start(objects)
        everything += objects
        print(f"{name}: {len(objects)} objects")
    kinds = {each["kind"] for each in everything}
    for kind in CUSTOM | {"Deployment", "HorizontalPodAutoscaler", "PodDisruptionBudget", "NetworkPolicy", "Ingress", "PersistentVolumeClaim"}:
        if kind not in kinds:
            fail(f"no file of tests/ makes a {kind}")
    check_metrics(everything)
    check_rules(everything)


def check_refusals():
    for changes, expected in REFUSED:
        options = [option for change in changes for option in ("--set", change)]
        result = render(HERE / "tests/default.yaml", *options)
        if result.returncode == 0 or expected not in result.stderr:
            fail(f"{' '.join(changes)}: expected a refusal with {expected}, not {result.stderr or 'objects'}")
    print(f"{len(REFUSED)} invalid values")


def check_manifests():
    for file in sorted((ROOT / "deploy/kubernetes").glob("*.yaml")):
        objects = list(yaml.safe_load_all(file.read_text()))
        for check in (validate, check_hardening, check_options):
            check(file.name, objects)
        print(f"{file.name}: {len(objects)} objects")


check_dockerfile()
check_chart()
check_refusals()
check_manifests()
sys.exit(1 if failures else 0)
