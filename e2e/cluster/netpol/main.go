// Command netpol enforces Kubernetes NetworkPolicies for the pods of one node. It runs in the node's network namespace
// and writes nftables rules; those hold on when it dies.
package main

import (
	"context"
	"flag"
	"log"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

// settle is how long changes are gathered before the rules are written anew.
const settle = 150 * time.Millisecond

// retry is the wait after rules were refused, or without any change.
const retry = 5 * time.Second

func main() {
	kubeconfig := flag.String("kubeconfig", "", "file that says where the API server is")
	node := flag.String("node", "", "name of the node whose pods are guarded")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx, *kubeconfig, *node); err != nil {
		log.Fatal(err)
	}
}

// run keeps the rules as the API server's objects want them until the context ends.
func run(ctx context.Context, kubeconfig, node string) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	pods, namespaces := factory.Core().V1().Pods(), factory.Core().V1().Namespaces()
	policies := factory.Networking().V1().NetworkPolicies()
	changed := make(chan struct{}, 1)
	for _, informer := range []cache.SharedIndexInformer{pods.Informer(), namespaces.Informer(), policies.Informer()} {
		if _, err := informer.AddEventHandler(notify(changed)); err != nil {
			return err
		}
	}
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	observe := func() (world, error) {
		all := labels.Everything()
		podList, err := pods.Lister().List(all)
		if err != nil {
			return world{}, err
		}
		namespaceList, err := namespaces.Lister().List(all)
		if err != nil {
			return world{}, err
		}
		policyList, err := policies.Lister().List(all)
		return makeWorld(node, podList, namespaceList, policyList), err
	}
	return keep(ctx, changed, observe)
}

// keep writes the rules after each change, when they differ from the last that were taken.
func keep(ctx context.Context, changed <-chan struct{}, observe func() (world, error)) error {
	written := ""
	for ctx.Err() == nil {
		seen, err := observe()
		if err != nil {
			return err
		}
		if rules := makeRules(seen); rules != written {
			if err := write(ctx, rules); err != nil {
				log.Print(err)
			} else {
				written = rules
			}
		}
		select {
		case <-ctx.Done():
		case <-changed:
			time.Sleep(settle)
		case <-time.After(retry):
		}
	}
	return nil
}

// write replaces the rules in one transaction.
func write(ctx context.Context, rules string) error {
	command := exec.CommandContext(ctx, "nft", "-f", "-")
	command.Stdin = strings.NewReader(rules)
	if output, err := command.CombinedOutput(); err != nil {
		log.Printf("nft said: %s", output)
		return err
	}
	return nil
}

// notify tells of a change, and lets it be when one is told of already.
func notify(changed chan<- struct{}) cache.ResourceEventHandler {
	tell := func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	return cache.ResourceEventHandlerFuncs{
		AddFunc: func(any) { tell() },
		UpdateFunc: func(before, after any) {
			old, isPod := before.(*corev1.Pod)
			if pod, _ := after.(*corev1.Pod); !isPod || pod == nil || differs(old, pod) {
				tell()
			}
		},
		DeleteFunc: func(any) { tell() },
	}
}
