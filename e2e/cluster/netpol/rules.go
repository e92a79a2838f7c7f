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
)

// tableName is the nftables table that holds all rules.
const tableName = "table ip kappa_policies"

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

/*
How a packet is judged, from the outside in:

	makeRules   the table: for each direction a base chain, then the chains of the pods
	makeBase      which pod's chain a packet goes to, by the pod's address
	rulesOf       the chain of one pod: all that some policy lets through; the rest is dropped
	linesOf         one entry of one policy: every peer with every port
*/

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

// entriesOf brings the entries of both directions into one form.
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

// blockOf matches a block of addresses; false when it is not IPv4.
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
