package main

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func makePod(namespace, name, ip string, ports ...corev1.ContainerPort) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{"app": name}},
		Spec:       corev1.PodSpec{NodeName: "n1", Containers: []corev1.Container{{Ports: ports}}},
		Status:     corev1.PodStatus{Phase: corev1.PodRunning, PodIPs: []corev1.PodIP{{IP: ip}}},
	}
}

func selecting(app string) *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchLabels: map[string]string{"app": app}}
}

func TestRules(t *testing.T) {
	http := corev1.ContainerPort{Name: "http", ContainerPort: 8080, Protocol: corev1.ProtocolTCP}
	other := corev1.ContainerPort{Name: "http", ContainerPort: 9090, Protocol: corev1.ProtocolTCP}
	named, number, end := intstr.FromString("http"), intstr.FromInt32(53), int32(60)
	udp := corev1.ProtocolUDP
	pods := []*corev1.Pod{
		makePod("a", "web", "10.0.0.1", http), makePod("a", "web2", "10.0.0.2", other), makePod("b", "web", "10.0.0.3"),
	}
	namespaces := []*corev1.Namespace{
		{ObjectMeta: metav1.ObjectMeta{Name: "a", Labels: map[string]string{"app": "x"}}},
		{ObjectMeta: metav1.ObjectMeta{Name: "b", Labels: map[string]string{"app": "y"}}},
	}
	everything := metav1.LabelSelector{}
	cases := []struct {
		reason string
		spec   networkingv1.NetworkPolicySpec
		want   []string
		wantNo []string
	}{
		{
			reason: "without entries nothing gets in, and other directions and pods stay free",
			spec:   networkingv1.NetworkPolicySpec{PodSelector: *selecting("web"), PolicyTypes: []networkingv1.PolicyType{"Ingress"}},
			want:   []string{"ip daddr vmap { 10.0.0.1 : jump pod_"},
			wantNo: []string{"ip saddr vmap", "10.0.0.2", "10.0.0.3", " accept\ndrop"},
		},
		{
			reason: "an empty entry lets everything in",
			spec: networkingv1.NetworkPolicySpec{PodSelector: *selecting("web"), PolicyTypes: []networkingv1.PolicyType{"Ingress"},
				Ingress: []networkingv1.NetworkPolicyIngressRule{{}}},
			want: []string{"ip saddr 0.0.0.0/0 accept\ndrop"},
		},
		{
			reason: "pods are meant in the policy's namespace, and a named port is the target's",
			spec: networkingv1.NetworkPolicySpec{PodSelector: *selecting("web"), PolicyTypes: []networkingv1.PolicyType{"Ingress"},
				Ingress: []networkingv1.NetworkPolicyIngressRule{{
					From:  []networkingv1.NetworkPolicyPeer{{PodSelector: &everything}},
					Ports: []networkingv1.NetworkPolicyPort{{Port: &named}}}}},
			want: []string{"ip saddr { 10.0.0.1, 10.0.0.2 } tcp dport 8080 accept"},
		},
		{
			reason: "a namespace selector alone means all its pods; port ranges",
			spec: networkingv1.NetworkPolicySpec{PodSelector: *selecting("web"), PolicyTypes: []networkingv1.PolicyType{"Egress"},
				Egress: []networkingv1.NetworkPolicyEgressRule{{
					To:    []networkingv1.NetworkPolicyPeer{{NamespaceSelector: selecting("y")}},
					Ports: []networkingv1.NetworkPolicyPort{{Port: &number, EndPort: &end, Protocol: &udp}}}}},
			want: []string{"ip saddr vmap { 10.0.0.1 : jump", "ip daddr { 10.0.0.3 } udp dport 53-60 accept"},
		},
		{
			reason: "a named port of egress is each target's own",
			spec: networkingv1.NetworkPolicySpec{PodSelector: *selecting("web"), PolicyTypes: []networkingv1.PolicyType{"Egress"},
				Egress: []networkingv1.NetworkPolicyEgressRule{{
					To:    []networkingv1.NetworkPolicyPeer{{PodSelector: &everything}},
					Ports: []networkingv1.NetworkPolicyPort{{Port: &named}}}}},
			want: []string{"ip daddr { 10.0.0.1 } tcp dport 8080 accept", "ip daddr { 10.0.0.2 } tcp dport 9090 accept"},
		},
		{
			reason: "an address block without its exceptions; one of IPv6 means nothing here",
			spec: networkingv1.NetworkPolicySpec{PodSelector: *selecting("web"), PolicyTypes: []networkingv1.PolicyType{"Egress"},
				Egress: []networkingv1.NetworkPolicyEgressRule{{To: []networkingv1.NetworkPolicyPeer{
					{IPBlock: &networkingv1.IPBlock{CIDR: "0.0.0.0/0", Except: []string{"10.0.0.0/8"}}},
					{IPBlock: &networkingv1.IPBlock{CIDR: "::/0"}}}}}},
			want:   []string{"ip daddr 0.0.0.0/0 ip daddr != 10.0.0.0/8 accept"},
			wantNo: []string{"::"},
		},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			policy := &networkingv1.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: "p"}, Spec: c.spec}
			rules := makeRules(makeWorld("n1", pods, namespaces, []*networkingv1.NetworkPolicy{policy}))
			for _, want := range c.want {
				if !strings.Contains(rules, want) {
					t.Errorf("no %q in\n%s", want, rules)
				}
			}
			for _, wantNo := range c.wantNo {
				if strings.Contains(rules, wantNo) {
					t.Errorf("%q in\n%s", wantNo, rules)
				}
			}
		})
	}
}

func TestPodsWithoutAnAddressOfTheirOwnAreLeftOut(t *testing.T) {
	host, ended, waiting := makePod("a", "h", "172.30.0.11"), makePod("a", "e", "10.0.0.1"), makePod("a", "w", "")
	host.Spec.HostNetwork, ended.Status.Phase = true, corev1.PodSucceeded
	if seen := makeWorld("n1", []*corev1.Pod{host, ended, waiting}, nil, nil); len(seen.pods) != 0 {
		t.Errorf("%d pods are left", len(seen.pods))
	}
}
