package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// tableName is the nftables table that holds all rules.
const tableName = "table ip kappa_policies"

// world is what the rules of one node follow from. Pods are those with an IPv4 address of their own.
type world struct {
	node       string
	pods       []*corev1.Pod
	namespaces map[string]labels.Set
	policies   []*networkingv1.NetworkPolicy
}

// direction is ingress or egress as seen from the guarded pod.
type direction struct {
	kind networkingv1.PolicyType
	// own and other are the nftables words for the guarded pod's address and its peer's.
	own, other string
}

var (
	ingress = direction{kind: networkingv1.PolicyTypeIngress, own: "ip daddr", other: "ip saddr"}
	egress  = direction{kind: networkingv1.PolicyTypeEgress, own: "ip saddr", other: "ip daddr"}
)

// rule is one entry of a policy, the same for both directions.
type rule struct {
	peers []networkingv1.NetworkPolicyPeer
	ports []networkingv1.NetworkPolicyPort
}

func makeWorld(node string, pods []*corev1.Pod, namespaces []*corev1.Namespace, policies []*networkingv1.NetworkPolicy) world {
	seen := world{node: node, namespaces: map[string]labels.Set{}, policies: slices.Clone(policies)}
	for _, pod := range pods {
		if isReachable(pod) {
			seen.pods = append(seen.pods, pod)
		}
	}
	for _, namespace := range namespaces {
		seen.namespaces[namespace.Name] = namespace.Labels
	}
	// Listers answer in no order, and equal worlds must give equal rules.
	slices.SortFunc(seen.pods, func(a, b *corev1.Pod) int { return strings.Compare(key(a), key(b)) })
	slices.SortFunc(seen.policies, func(a, b *networkingv1.NetworkPolicy) int { return strings.Compare(key(a), key(b)) })
	return seen
}

// makeRules makes the whole table. A packet must be let through by both ends: the two base chains of the forward hook
// are asked one after the other, and "accept" ends only the one it is said in. The input hook guards the node itself
// against its pods. What the node sends to its own pods (probes) is not asked about, as everywhere.
func makeRules(seen world) string {
	chains := map[string]string{}
	out := makeBase(seen, egress, chains)
	in := makeBase(seen, ingress, chains)
	var text strings.Builder
	fmt.Fprintf(&text, "%s\ndelete %s\n%s {\n", tableName, tableName, tableName)
	for _, name := range slices.Sorted(maps.Keys(chains)) {
		fmt.Fprintf(&text, "chain %s {\n%sdrop\n}\n", name, chains[name])
	}
	base := "chain %s { type filter hook %s priority %d; policy accept;\nct state established,related accept\n%s}\n"
	fmt.Fprintf(&text, base, "egress", "forward", 0, out)
	fmt.Fprintf(&text, base, "egress_to_node", "input", 0, out)
	fmt.Fprintf(&text, base, "ingress", "forward", 1, in)
	text.WriteString("}\n")
	return text.String()
}

// makeBase sends the packets of each pod that a policy selects to the chain of its rules; pods with the same rules
// share one.
func makeBase(seen world, toward direction, chains map[string]string) string {
	var entries []string
	for _, pod := range seen.pods {
		if pod.Spec.NodeName != seen.node {
			continue
		}
		rules, isGuarded := rulesOf(seen, pod, toward)
		if !isGuarded {
			continue
		}
		sum := sha256.Sum256([]byte(rules))
		name := "pod_" + hex.EncodeToString(sum[:8])
		chains[name] = rules
		entries = append(entries, fmt.Sprintf("%s : jump %s", address(pod), name))
	}
	if len(entries) == 0 {
		return ""
	}
	return fmt.Sprintf("%s vmap { %s }\n", toward.own, strings.Join(entries, ", "))
}

// rulesOf lists what the policies let the pod do, one line each; false when no policy selects it.
func rulesOf(seen world, pod *corev1.Pod, toward direction) (string, bool) {
	var lines []string
	isGuarded := false
	for _, policy := range seen.policies {
		if policy.Namespace != pod.Namespace || !slices.Contains(policy.Spec.PolicyTypes, toward.kind) {
			continue
		}
		if !matches(&policy.Spec.PodSelector, pod.Labels) {
			continue
		}
		isGuarded = true
		for _, rule := range entriesOf(policy, toward) {
			lines = append(lines, linesOf(seen, pod, policy.Namespace, rule, toward)...)
		}
	}
	slices.Sort(lines)
	return strings.Join(slices.Compact(lines), ""), isGuarded
}

func entriesOf(policy *networkingv1.NetworkPolicy, toward direction) []rule {
	var rules []rule
	if toward.kind == networkingv1.PolicyTypeIngress {
		for _, entry := range policy.Spec.Ingress {
			rules = append(rules, rule{entry.From, entry.Ports})
		}
		return rules
	}
	for _, entry := range policy.Spec.Egress {
		rules = append(rules, rule{entry.To, entry.Ports})
	}
	return rules
}

// linesOf makes the lines of one entry: every peer with every port.
func linesOf(seen world, pod *corev1.Pod, namespace string, entry rule, toward direction) []string {
	var lines []string
	if len(entry.peers) == 0 {
		everyone := networkingv1.NetworkPolicyPeer{IPBlock: &networkingv1.IPBlock{CIDR: "0.0.0.0/0"}}
		entry.peers = []networkingv1.NetworkPolicyPeer{everyone}
	}
	for _, peer := range entry.peers {
		if peer.IPBlock != nil {
			if from, isIPv4 := blockOf(peer.IPBlock, toward); isIPv4 {
				// A named port of an address block has no pod to be looked up in when the block is the target.
				lines = append(lines, withPorts(from, entry.ports, targets(toward, pod, nil))...)
			}
			continue
		}
		peers := podsOf(seen, namespace, peer)
		for _, group := range byPorts(peers, entry.ports, toward) {
			from := fmt.Sprintf("%s { %s }", toward.other, strings.Join(addresses(group), ", "))
			lines = append(lines, withPorts(from, entry.ports, targets(toward, pod, group))...)
		}
	}
	return lines
}

// targets answers a pod whose container ports a named port means: the guarded one, or the first of its equal peers.
func targets(toward direction, pod *corev1.Pod, peers []*corev1.Pod) *corev1.Pod {
	if toward.kind == networkingv1.PolicyTypeIngress {
		return pod
	}
	if len(peers) == 0 {
		return nil
	}
	return peers[0]
}

// byPorts groups peers by what the named ports mean for them; one group when there is nothing to look up.
func byPorts(peers []*corev1.Pod, ports []networkingv1.NetworkPolicyPort, toward direction) [][]*corev1.Pod {
	groups := map[string][]*corev1.Pod{}
	for _, peer := range peers {
		meaning := ""
		if toward.kind == networkingv1.PolicyTypeEgress {
			meaning = strings.Join(withPorts("", ports, peer), "")
		}
		groups[meaning] = append(groups[meaning], peer)
	}
	var sorted [][]*corev1.Pod
	for _, meaning := range slices.Sorted(maps.Keys(groups)) {
		sorted = append(sorted, groups[meaning])
	}
	return sorted
}

func blockOf(block *networkingv1.IPBlock, toward direction) (string, bool) {
	prefix, err := netip.ParsePrefix(block.CIDR)
	if err != nil || !prefix.Addr().Is4() {
		return "", false
	}
	text := fmt.Sprintf("%s %s", toward.other, prefix.Masked())
	for _, except := range block.Except {
		text += fmt.Sprintf(" %s != %s", toward.other, except)
	}
	return text, true
}

// withPorts completes a match of addresses with each port. No ports: all.
func withPorts(match string, ports []networkingv1.NetworkPolicyPort, target *corev1.Pod) []string {
	if len(ports) == 0 {
		return []string{match + " accept\n"}
	}
	var lines []string
	for _, port := range ports {
		if condition, isKnown := portMatch(port, target); isKnown {
			lines = append(lines, fmt.Sprintf("%s %s accept\n", match, condition))
		}
	}
	return lines
}

func portMatch(port networkingv1.NetworkPolicyPort, target *corev1.Pod) (string, bool) {
	protocol := "tcp"
	if port.Protocol != nil {
		protocol = strings.ToLower(string(*port.Protocol))
	}
	if port.Port == nil {
		return "meta l4proto " + protocol, true
	}
	if port.Port.Type == intstr.String {
		number, isKnown := namedPort(target, port.Port.StrVal, protocol)
		return fmt.Sprintf("%s dport %d", protocol, number), isKnown
	}
	if port.EndPort != nil {
		return fmt.Sprintf("%s dport %d-%d", protocol, port.Port.IntVal, *port.EndPort), true
	}
	return fmt.Sprintf("%s dport %d", protocol, port.Port.IntVal), true
}

func namedPort(pod *corev1.Pod, name, protocol string) (int32, bool) {
	if pod == nil {
		return 0, false
	}
	for _, container := range pod.Spec.Containers {
		for _, port := range container.Ports {
			if port.Name == name && strings.EqualFold(string(port.Protocol), protocol) {
				return port.ContainerPort, true
			}
		}
	}
	return 0, false
}

// podsOf finds a peer's pods: of the policy's own namespace unless the peer selects namespaces.
func podsOf(seen world, namespace string, peer networkingv1.NetworkPolicyPeer) []*corev1.Pod {
	var found []*corev1.Pod
	for _, pod := range seen.pods {
		if peer.NamespaceSelector == nil && pod.Namespace != namespace {
			continue
		}
		if peer.NamespaceSelector != nil && !matches(peer.NamespaceSelector, seen.namespaces[pod.Namespace]) {
			continue
		}
		if peer.PodSelector == nil || matches(peer.PodSelector, pod.Labels) {
			found = append(found, pod)
		}
	}
	return found
}

// matches says whether the selector takes the labels; one that cannot be read takes none.
func matches(selector *metav1.LabelSelector, set labels.Set) bool {
	parsed, err := metav1.LabelSelectorAsSelector(selector)
	return err == nil && parsed.Matches(set)
}

// isReachable leaves out pods without an address of their own: on the node's network, not started yet, or ended.
func isReachable(pod *corev1.Pod) bool {
	isOver := pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
	return !pod.Spec.HostNetwork && !isOver && address(pod) != ""
}

// address is the pod's IPv4 address; empty when it has none.
func address(pod *corev1.Pod) string {
	for _, ip := range pod.Status.PodIPs {
		if parsed, err := netip.ParseAddr(ip.IP); err == nil && parsed.Is4() {
			return ip.IP
		}
	}
	return ""
}

func addresses(pods []*corev1.Pod) []string {
	var found []string
	for _, pod := range pods {
		found = append(found, address(pod))
	}
	return found
}

// differs says whether anything changed that rules follow from.
func differs(before, after *corev1.Pod) bool {
	return !maps.Equal(before.Labels, after.Labels) || address(before) != address(after) ||
		isReachable(before) != isReachable(after) || before.Spec.NodeName != after.Spec.NodeName
}

func key(object metav1.Object) string {
	return object.GetNamespace() + "/" + object.GetName()
}
