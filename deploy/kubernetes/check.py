"""Installs the Helm chart and the Job in a real control plane of Kubernetes; deploy/kubernetes/check runs it.

etcd, kube-apiserver and kube-controller-manager run here, without nodes: Kubernetes accepts the objects, and makes their pods in namespaces that
enforce its Pod Security Standard "restricted", but nothing runs them. How pods of the Job end, this program reports in place of a kubelet.
"""

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
CHART = HERE.parent / "helm/nola"
VALUES = HERE.parent / "helm/tests"
JOB = HERE / "worker-job.yaml"
TOOLS = Path(sys.argv[1]).resolve()
SECONDS = 120
RESTRICTED = [f"pod-security.kubernetes.io/{mode}=restricted" for mode in ("enforce", "warn")]


class Failure(Exception):
    pass


def free_ports(count):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [each.getsockname()[1] for each in sockets]


class ControlPlane:
    """etcd, API server and controllers on this machine's loopback, with a folder for their data and logs."""

    def __init__(self, folder):
        self.folder = folder
        self.processes = []
        client, peer, api, manager = free_ports(4)
        key, tokens, self.kubeconfig = folder / "accounts.key", folder / "tokens.csv", folder / "kubeconfig"
        subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
        tokens.write_text("check,admin,admin,system:masters\n")
        self.kubeconfig.write_text(json.dumps(self.client_settings(api)))
        etcd = f"http://127.0.0.1:{client}"
        self.start(
            "etcd", "--data-dir", folder / "etcd", "--listen-client-urls", etcd, "--advertise-client-urls", etcd,
            "--listen-peer-urls", f"http://127.0.0.1:{peer}", "--initial-advertise-peer-urls", f"http://127.0.0.1:{peer}",
            "--initial-cluster", f"default=http://127.0.0.1:{peer}", "--unsafe-no-fsync",
        )  # fmt: skip
        self.start(
            "kube-apiserver", "--etcd-servers", etcd, "--bind-address", "127.0.0.1", "--secure-port", str(api),
            "--cert-dir", folder / "certificates", "--endpoint-reconciler-type", "none", "--authorization-mode", "RBAC",
            "--token-auth-file", tokens, "--service-cluster-ip-range", "10.0.0.0/24", "--service-account-issuer", "https://kubernetes.default.svc",
            "--service-account-key-file", key, "--service-account-signing-key-file", key,
        )  # fmt: skip
        self.start(
            "kube-controller-manager", "--kubeconfig", self.kubeconfig, "--leader-elect=false", "--bind-address", "127.0.0.1",
            "--secure-port", str(manager), "--cert-dir", folder / "certificates", "--service-account-private-key-file", key,
        )  # fmt: skip

    def client_settings(self, port):
        cluster = {"server": f"https://127.0.0.1:{port}", "insecure-skip-tls-verify": True}
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "check", "cluster": cluster}],
            "users": [{"name": "check", "user": {"token": "check"}}],
            "contexts": [{"name": "check", "context": {"cluster": "check", "user": "check"}}],
            "current-context": "check",
        }

    def start(self, name, *args):
        with open(self.folder / f"{name}.log", "w") as log:
            self.processes.append(subprocess.Popen([TOOLS / name, *args], stdout=log, stderr=log, cwd=self.folder))

    def stop(self):
        for process in reversed(self.processes):
            process.terminate()
            process.wait()

    def run(self, program, *args):
        """Returns the output of kubectl or helm, which must succeed, without a warning of the API server."""
        environment = {**os.environ, "KUBECONFIG": str(self.kubeconfig), "HELM_CACHE_HOME": str(self.folder / "helm")}
        result = subprocess.run([TOOLS / program, *args], env=environment, capture_output=True, text=True)
        if result.returncode != 0 or "warning" in result.stderr.lower():
            raise Failure(f"{program} {' '.join(map(str, args))}: {result.stderr.strip()}")
        return result.stdout

    def kubectl(self, *args):
        return self.run("kubectl", *args)

    def get(self, namespace, *args):
        return json.loads(self.kubectl("--namespace", namespace, "get", *args, "--output", "json"))

    def namespace(self, name):
        self.kubectl("create", "namespace", name)
        self.kubectl("label", "namespace", name, *RESTRICTED)
        await_that(f"account of namespace {name}", lambda: self.get(name, "serviceaccounts")["items"])


def await_that(what, condition):
    """Returns what a condition returns once it holds."""
    end = time.monotonic() + SECONDS
    while not (value := condition()):
        if time.monotonic() > end:
            raise Failure(f"{what}: not within {SECONDS} s")
        time.sleep(0.2)
    return value


def is_ready(plane):
    for process in plane.processes:
        if process.poll() is not None:
            raise Failure(f"{process.args[0].name} ended: {(plane.folder / (process.args[0].name + '.log')).read_text()[-2000:]}")
    try:
        return plane.kubectl("get", "--raw", "/readyz") == "ok"
    except Failure:
        return False  # it does not listen yet


def prepare(plane):
    """Creates what clusters have that use all of the chart: definitions of KEDA and the Prometheus Operator, and NVIDIA's runtime."""
    plane.kubectl("apply", "--server-side", "--filename", TOOLS / "crds")
    plane.kubectl("wait", "--for=condition=Established", "--timeout=60s", "--filename", TOOLS / "crds")
    runtime = plane.folder / "runtime.json"
    runtime.write_text(json.dumps({"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": "nvidia"}, "handler": "nvidia"}))
    plane.kubectl("create", "--filename", runtime)


def has_pods(plane, namespace):
    """Returns whether each deployment has a pod of its present template; the others follow once that is ready, which needs a node."""
    deployments = plane.get(namespace, "deployments")["items"]
    for deployment in deployments:
        for condition in deployment.get("status", {}).get("conditions", []):
            if condition["type"] == "ReplicaFailure":
                raise Failure(f"{deployment['metadata']['name']} gets no pod: {condition['message']}")
    return deployments and all(
        each.get("status", {}).get("observedGeneration") == each["metadata"]["generation"]
        and each["status"].get("updatedReplicas", 0) >= min(1, each["spec"]["replicas"])
        for each in deployments
    )


def check_chart(plane, values):
    """Installs, changes, rolls back and removes a release."""
    namespace = "chart-" + values.stem
    plane.namespace(namespace)
    release = ("--namespace", namespace, "nola")
    changes = ["--values", values, "--set", "workers.tokenSecret.name=nola-worker", "--set", "workers.cpu.enabled=true"]
    steps = {
        "install": ["install", *release, CHART, "--values", values],
        "upgrade": ["upgrade", *release, CHART, *changes, "--set", "registry.image.tag=next"],
        "rollback": ["rollback", *release, "1"],
    }
    for step, command in steps.items():
        plane.run("helm", *command)
        await_that(f"{values.stem}: pods after helm {step}", lambda: has_pods(plane, namespace))
    plane.run("helm", "uninstall", *release)
    await_that(f"{values.stem}: end of all pods", lambda: not plane.get(namespace, "deployments,pods")["items"])
    claims = [each["metadata"]["name"] for each in plane.get(namespace, "persistentvolumeclaims")["items"]]
    print(f"{values.stem}: installed, changed, rolled back, removed; claims that are kept: {', '.join(claims) or 'none'}")


def new_pod(plane, namespace, job, known):
    """Returns the name of a pod of a Job that is not known."""

    def find():
        pods = plane.get(namespace, "pods", "--selector", "batch.kubernetes.io/job-name=" + job)["items"]
        return next((each["metadata"]["name"] for each in pods if each["metadata"]["name"] not in known), None)

    return await_that(f"a pod of {job}", find)


def end(plane, namespace, pod, exit_code, conditions=()):
    """Reports what a kubelet would once the worker has ended."""
    state = {"terminated": {"exitCode": exit_code, "reason": "Error" if exit_code else "Completed"}}
    worker = {"name": "worker", "image": "", "imageID": "", "ready": False, "restartCount": 0, "state": state}
    status = {"phase": "Failed" if exit_code else "Succeeded", "conditions": list(conditions), "containerStatuses": [worker]}
    patch = json.dumps({"status": status})
    plane.kubectl("--namespace", namespace, "patch", "pod", pod, "--subresource=status", "--type=merge", "--patch", patch)


def condition_of(plane, namespace, job):
    conditions = plane.get(namespace, "job", job).get("status", {}).get("conditions", [])
    return next(((each["type"], each["reason"]) for each in conditions if each["type"] in ("Complete", "Failed")), None)


def check_job(plane):
    """Ends the Job's pods in all ways that its policy names; exit codes are those of nola worker --once."""
    namespace = "job"
    plane.namespace(namespace)
    evicted = [{"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI"}]
    cases = {
        "its job succeeded": ([(0, ())], ("Complete", "CompletionsReached")),
        "its job failed": ([(1, ())], ("Failed", "PodFailurePolicy")),
        "no job came in time": ([(5, ())], ("Failed", "PodFailurePolicy")),
        "its token was refused, then accepted": ([(3, ()), (0, ())], ("Complete", "CompletionsReached")),
        "its token was refused three times": ([(3, ())] * 3, ("Failed", "BackoffLimitExceeded")),
        "its pod was evicted three times": ([(143, evicted)] * 3 + [(0, ())], ("Complete", "CompletionsReached")),
    }
    for case, (ends, expected) in cases.items():
        created = plane.kubectl("--namespace", namespace, "create", "--filename", JOB, "--output", "name")
        job = created.strip().removeprefix("job.batch/")
        known = set()
        for exit_code, conditions in ends:
            pod = new_pod(plane, namespace, job, known)
            known.add(pod)
            end(plane, namespace, pod, exit_code, conditions)
        outcome = await_that(f"{case}: end of {job}", lambda: condition_of(plane, namespace, job))
        if outcome != expected:
            raise Failure(f"{case}: the Job ended as {outcome}; must be {expected}")
        print(f"worker-job.yaml: {case}: {' '.join(outcome)}")


def main():
    with tempfile.TemporaryDirectory() as folder:
        plane = ControlPlane(Path(folder))
        try:
            await_that("API server", lambda: is_ready(plane))
            print("Kubernetes " + json.loads(plane.kubectl("version", "--output", "json"))["serverVersion"]["gitVersion"])
            prepare(plane)
            for values in sorted(VALUES.glob("*.yaml")):
                check_chart(plane, values)
            check_job(plane)
        finally:
            plane.stop()


try:
    main()
except Failure as e:
    sys.exit(f"FAILED: {e}")
