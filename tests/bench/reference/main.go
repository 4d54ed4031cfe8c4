// A controller in Go that does what Modelyard's operator does for a version that starts: the ledger first, then the
// children by server-side apply, then the status. It is the reference of `make bench`.
//
// It decides less than the operator does: what it writes is a template in which names are replaced. That is to its
// advantage, and meant to be: the reference shows what the work costs when there is next to nothing to decide.
//
// Its informers keep no managedFields, as is usual. Two more things that a controller may do it does not: it has no
// typed clients (all kinds go through the dynamic one, as unstructured objects), and it speaks JSON with the API server
// also about the kinds of Kubernetes itself, for which there is protobuf.
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"log"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/util/workqueue"
)

const (
	group     = "modelyard.dev"
	version   = "v1alpha1"
	managedBy = "modelyard.dev/managed-by=modelyard"
	ofModel   = "modelyard.dev/of-model"
	applied   = "modelyard.dev/applied"
	manager   = "modelyard-reference"
	// anyGeneration stands in a template for the generation of the object whose status it is.
	anyGeneration = "987654321"
)

// template is one object to apply, as JSON with placeholders.
type template struct {
	Resource string          `json:"resource"`
	Group    string          `json:"group"`
	Version  string          `json:"version"`
	Name     string          `json:"name"`
	Body     json.RawMessage `json:"body"`
}

type templates struct {
	Ledger        template   `json:"ledger"`
	Children      []template `json:"children"`
	VersionStatus template   `json:"versionStatus"`
	ModelStatus   template   `json:"modelStatus"`
}

type controller struct {
	client    dynamic.Interface
	templates templates
	queue     workqueue.TypedRateLimitingInterface[string]
	mutex     sync.RWMutex
	informers map[string]cache.SharedIndexInformer
	// said holds the generation of which each status that was written speaks: an informer may be behind our own writes.
	said sync.Map
}

var own = []string{
	"executionenvironments", "executionenvironmentversions", "custommodels", "custommodelversions", "modeltests",
	"modelledgers",
}

var children = []schema.GroupVersionResource{
	{Group: "apps", Version: "v1", Resource: "controllerrevisions"},
	{Group: "apps", Version: "v1", Resource: "deployments"},
	{Group: "batch", Version: "v1", Resource: "jobs"},
	{Group: "discovery.k8s.io", Version: "v1", Resource: "endpointslices"},
	{Group: "networking.k8s.io", Version: "v1", Resource: "networkpolicies"},
	{Group: "policy", Version: "v1", Resource: "poddisruptionbudgets"},
	{Version: "v1", Resource: "configmaps"},
	{Version: "v1", Resource: "pods"},
	{Version: "v1", Resource: "services"},
}

func main() {
	kubeconfig := flag.String("kubeconfig", "", "how to reach the API server")
	templateFile := flag.String("templates", "", "JSON of what to write for a version")
	workers := flag.Int("workers", 16, "versions that are worked on at the same time")
	flag.Parse()
	context, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	made, err := newController(*kubeconfig, *templateFile)
	if err != nil {
		log.Fatal(err)
	}
	made.run(context, *workers)
}

func newController(kubeconfig, templateFile string) (*controller, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	config.QPS = -1 // no throttle on our side
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(templateFile)
	if err != nil {
		return nil, err
	}
	made := &controller{client: client, informers: map[string]cache.SharedIndexInformer{}}
	made.queue = workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[string]())
	return made, json.Unmarshal(text, &made.templates)
}

func (c *controller) run(ctx context.Context, workers int) {
	ours := dynamicinformer.NewFilteredDynamicSharedInformerFactory(c.client, 0, metav1.NamespaceAll, nil)
	labelled := dynamicinformer.NewFilteredDynamicSharedInformerFactory(
		c.client, 0, metav1.NamespaceAll,
		func(options *metav1.ListOptions) { options.LabelSelector = managedBy })
	for _, resource := range own {
		c.watch(ours, schema.GroupVersionResource{Group: group, Version: version, Resource: resource})
	}
	for _, resource := range children {
		c.watch(labelled, resource)
	}
	ours.Start(ctx.Done())
	labelled.Start(ctx.Done())
	ours.WaitForCacheSync(ctx.Done())
	labelled.WaitForCacheSync(ctx.Done())
	for range workers {
		go c.work(ctx)
	}
	<-ctx.Done()
	c.queue.ShutDown()
}

func (c *controller) watch(factory dynamicinformer.DynamicSharedInformerFactory, resource schema.GroupVersionResource) {
	informer := factory.ForResource(resource).Informer()
	c.informers[resource.Resource] = informer
	if err := informer.SetTransform(withoutManagedFields); err != nil {
		log.Fatal(err)
	}
	handle := func(object any) { c.wake(resource.Resource, object) }
	_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    handle,
		UpdateFunc: func(_, object any) { handle(object) },
		DeleteFunc: handle,
	})
	if err != nil {
		log.Fatal(err)
	}
	if resource.Resource == "custommodelversions" {
		indexers := cache.Indexers{"model": byModel}
		if err := informer.AddIndexers(indexers); err != nil {
			log.Fatal(err)
		}
	}
}

// withoutManagedFields is what informers do to each object before they keep it.
func withoutManagedFields(object any) (any, error) {
	if found, ok := object.(*unstructured.Unstructured); ok {
		found.SetManagedFields(nil)
	}
	return object, nil
}

func byModel(object any) ([]string, error) {
	found := object.(*unstructured.Unstructured)
	model, _, _ := unstructured.NestedString(found.Object, "spec", "modelRef", "name")
	return []string{found.GetNamespace() + "/" + model}, nil
}

// wake queues the versions that an object concerns: itself, or those of the model that it belongs to.
func (c *controller) wake(resource string, object any) {
	if gone, ok := object.(cache.DeletedFinalStateUnknown); ok {
		object = gone.Obj
	}
	found := object.(*unstructured.Unstructured)
	model := found.GetLabels()[ofModel]
	switch resource {
	case "custommodelversions":
		c.queue.Add(found.GetNamespace() + "/" + found.GetName())
		return
	case "custommodels", "modelledgers":
		model = found.GetName()
	}
	if model == "" {
		return
	}
	versions, _ := c.informers["custommodelversions"].GetIndexer().ByIndex("model", found.GetNamespace()+"/"+model)
	for _, each := range versions {
		c.queue.Add(found.GetNamespace() + "/" + each.(*unstructured.Unstructured).GetName())
	}
}

func (c *controller) work(ctx context.Context) {
	for {
		key, stopped := c.queue.Get()
		if stopped {
			return
		}
		if err := c.reconcile(ctx, key); err != nil && ctx.Err() == nil {
			log.Printf("%s: %v", key, err)
			c.queue.AddRateLimited(key)
		} else {
			c.queue.Forget(key)
		}
		c.queue.Done(key)
	}
}

func (c *controller) cached(resource, key string) *unstructured.Unstructured {
	found, exists, _ := c.informers[resource].GetStore().GetByKey(key)
	if !exists {
		return nil
	}
	return found.(*unstructured.Unstructured)
}

func (c *controller) reconcile(ctx context.Context, key string) error {
	of := c.cached("custommodelversions", key)
	if of == nil {
		return nil
	}
	namespace := of.GetNamespace()
	name, _, _ := unstructured.NestedString(of.Object, "spec", "modelRef", "name")
	model := c.cached("custommodels", namespace+"/"+name)
	if model == nil {
		return nil
	}
	names := placeholders(of, model)
	if c.cached(c.templates.Ledger.Resource, namespace+"/"+name) == nil {
		if err := c.create(ctx, c.templates.Ledger, names, namespace); err != nil {
			return err
		}
	}
	for _, each := range c.templates.Children {
		if err := c.apply(ctx, each, names, namespace); err != nil {
			return err
		}
	}
	if err := c.status(ctx, c.templates.VersionStatus, names, of); err != nil {
		return err
	}
	return c.status(ctx, c.templates.ModelStatus, names, model)
}

func placeholders(of, model *unstructured.Unstructured) *strings.Replacer {
	digest := sha256.Sum256([]byte(of.GetName() + string(of.GetUID())))
	text := hex.EncodeToString(digest[:])
	return strings.NewReplacer(
		"@NAMESPACE@", of.GetNamespace(), "@MODEL@", model.GetName(), "@MODELUID@", string(model.GetUID()),
		"@VERSION@", of.GetName(), "@KEY@", text[:10], "@HASH@", text[:8], "@CODE@", text[8:16])
}

// create makes an object of which the cache knows nothing.
func (c *controller) create(ctx context.Context, wanted template, names *strings.Replacer, namespace string) error {
	object := &unstructured.Unstructured{}
	if err := object.UnmarshalJSON([]byte(names.Replace(string(wanted.Body)))); err != nil {
		return err
	}
	resource := schema.GroupVersionResource{Group: wanted.Group, Version: wanted.Version, Resource: wanted.Resource}
	_, err := c.client.Resource(resource).Namespace(namespace).Create(
		ctx, object, metav1.CreateOptions{FieldManager: manager})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

// apply sends an object unless the cache holds it as it was last applied.
func (c *controller) apply(ctx context.Context, wanted template, names *strings.Replacer, namespace string) error {
	name, body := names.Replace(wanted.Name), []byte(names.Replace(string(wanted.Body)))
	digest := sha256.Sum256(body)
	hash := hex.EncodeToString(digest[:8])
	if found := c.cached(wanted.Resource, namespace+"/"+name); found != nil && found.GetAnnotations()[applied] == hash {
		return nil
	}
	body = bytes.Replace(body, []byte("@APPLIED@"), []byte(hash), 1)
	resource := schema.GroupVersionResource{Group: wanted.Group, Version: wanted.Version, Resource: wanted.Resource}
	force := true
	_, err := c.client.Resource(resource).Namespace(namespace).Patch(
		ctx, name, types.ApplyPatchType, body, metav1.PatchOptions{FieldManager: manager, Force: &force})
	return err
}

// status writes the status once for each generation, unless the cache shows that it is written already.
func (c *controller) status(
	ctx context.Context, wanted template, names *strings.Replacer, of *unstructured.Unstructured,
) error {
	seen, _, _ := unstructured.NestedInt64(of.Object, "status", "observedGeneration")
	if said, _ := c.said.Load(of.GetUID()); seen == of.GetGeneration() || said == of.GetGeneration() {
		return nil
	}
	generation := strconv.FormatInt(of.GetGeneration(), 10)
	body := []byte(strings.ReplaceAll(names.Replace(string(wanted.Body)), anyGeneration, generation))
	resource := schema.GroupVersionResource{Group: wanted.Group, Version: wanted.Version, Resource: wanted.Resource}
	force := true
	_, err := c.client.Resource(resource).Namespace(of.GetNamespace()).Patch(
		ctx, of.GetName(), types.ApplyPatchType, body, metav1.PatchOptions{FieldManager: manager, Force: &force},
		"status")
	if err == nil {
		c.said.Store(of.GetUID(), of.GetGeneration())
	}
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
