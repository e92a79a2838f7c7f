package main

import (
	"maps"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// world is what the rules of one node follow from. Pods are those with an IPv4 address of their own.
type world struct {
	node       string
	pods       []*corev1.Pod
	namespaces map[string]labels.Set
	policies   []*networkingv1.NetworkPolicy
}

// makeWorld puts together what the API server's objects say.
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

// key is the object's name among all of its kind.
func key(object metav1.Object) string {
	return object.GetNamespace() + "/" + object.GetName()
}
