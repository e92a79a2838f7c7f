package main

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

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

// portMatch is the condition of one port; false when it is a named port that target does not have.
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

// namedPort is the number that a pod gives the name; false when it gives none.
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
