// Package trouble makes the provider misbehave where it is asked to.
//
// It stands between the host and the provider. A resource asks for trouble in its attribute `misbehave`, and what it
// may ask for is in the README; the start of the process is spoilt by the variable CONFORMANCE_START.
package trouble

import (
	"context"
	"fmt"
	"maps"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"example.com/plumb/conformance/internal/busy"
	"example.com/plumb/conformance/internal/remote"
)

// AtStart spoils the start of the process.
func AtStart() {
	switch os.Getenv("CONFORMANCE_START") {
	case "garbage":
		fmt.Println("Hello, I am a provider!")
	case "exit":
		fmt.Fprintln(os.Stderr, "no licence found")
		os.Exit(3)
	case "panic":
		panic("the start is spoilt")
	case "hang":
		select {}
	}
}

// GetProviderSchema pads the schema with as many copies of a resource type as CONFORMANCE_TYPES says, so that it is as large as
// those of big clouds.
func (s *server) GetProviderSchema(ctx context.Context, req *tfprotov6.GetProviderSchemaRequest) (*tfprotov6.GetProviderSchemaResponse, error) {
	resp, err := s.whole.GetProviderSchema(ctx, req)
	copies, _ := strconv.Atoi(os.Getenv("CONFORMANCE_TYPES"))
	if err != nil || copies == 0 {
		return resp, err
	}
	schemas := maps.Clone(resp.ResourceSchemas)
	for i := range copies {
		schemas[fmt.Sprintf("conformance_copy_%05d", i)] = resp.ResourceSchemas["conformance_thing"]
	}
	padded := *resp
	padded.ResourceSchemas = schemas
	return &padded, nil
}

// whole is all of the protocol: what came late to it stands in interfaces of its own.
type whole interface {
	tfprotov6.ProviderServer
	tfprotov6.ActionServer
	tfprotov6.ListResourceServer
}

// server passes every call on, and spoils some. The embedded interface does what is not spoilt.
type server struct {
	whole
	types map[string]tftypes.Object
}

// Wrap puts trouble in front of a provider.
func Wrap(inner tfprotov6.ProviderServer) tfprotov6.ProviderServer {
	schemas, err := inner.GetProviderSchema(context.Background(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		panic(err)
	}
	types := map[string]tftypes.Object{}
	for name, schema := range schemas.ResourceSchemas {
		if object, ok := schema.ValueType().(tftypes.Object); ok && object.AttributeTypes["misbehave"] != nil {
			types[name] = object
		}
	}
	return &server{whole: inner.(whole), types: types}
}

// object is the wire's value of a resource as attributes; nil if there is none, or no trouble is possible.
func (s *server) object(kind string, value *tfprotov6.DynamicValue) map[string]tftypes.Value {
	ty, ok := s.types[kind]
	if !ok || value == nil {
		return nil
	}
	decoded, err := value.Unmarshal(ty)
	if err != nil || decoded.IsNull() || !decoded.IsKnown() {
		return nil
	}
	attributes := map[string]tftypes.Value{}
	if err := decoded.As(&attributes); err != nil {
		return nil
	}
	return attributes
}

// asked is the trouble that a resource asks for in a call: plan, apply or read. Trouble that ends in "-once" comes only once for each name, which the
// history of the remote system remembers.
func (s *server) asked(call, kind string, values ...*tfprotov6.DynamicValue) string {
	for _, value := range values {
		attributes := s.object(kind, value)
		if attributes == nil {
			continue
		}
		var trouble, name string
		if attributes["misbehave"].IsNull() || !attributes["misbehave"].IsKnown() || attributes["misbehave"].As(&trouble) != nil {
			return ""
		}
		_ = attributes["name"].As(&name)
		if !strings.HasPrefix(trouble, call+"-") {
			return ""
		}
		return s.limited(trouble, kind, name)
	}
	return ""
}

// limited takes trouble away that has come already.
func (s *server) limited(trouble, kind, name string) string {
	once, limited := strings.CutSuffix(trouble, "-once")
	if !limited {
		return trouble
	}
	if before, err := remote.Shared("").Note(once, kind, name); err != nil || before > 0 {
		return ""
	}
	return once
}

// with is a value of a resource with one attribute replaced.
func (s *server) with(kind string, value *tfprotov6.DynamicValue, name string, attribute tftypes.Value) *tfprotov6.DynamicValue {
	attributes := s.object(kind, value)
	if attributes == nil {
		return value
	}
	attributes[name] = attribute
	spoilt, err := tfprotov6.NewDynamicValue(s.types[kind], tftypes.NewValue(s.types[kind], attributes))
	if err != nil {
		panic(err)
	}
	return &spoilt
}

// without is a value of a resource that lacks an attribute.
func (s *server) without(kind string, value *tfprotov6.DynamicValue, name string) *tfprotov6.DynamicValue {
	attributes := s.object(kind, value)
	if attributes == nil {
		return value
	}
	delete(attributes, name)
	types := maps.Clone(s.types[kind].AttributeTypes)
	delete(types, name)
	lacking := tftypes.Object{AttributeTypes: types}
	spoilt, err := tfprotov6.NewDynamicValue(lacking, tftypes.NewValue(lacking, attributes))
	if err != nil {
		panic(err)
	}
	return &spoilt
}

// null is the value of a resource that does not exist.
func (s *server) null(kind string) *tfprotov6.DynamicValue {
	null, err := tfprotov6.NewDynamicValue(s.types[kind], tftypes.NewValue(s.types[kind], nil))
	if err != nil {
		panic(err)
	}
	return &null
}

func text(value string) tftypes.Value { return tftypes.NewValue(tftypes.String, value) }

var (
	unknown = tftypes.NewValue(tftypes.String, tftypes.UnknownValue)
	// wrong is a value that is of no resource's type.
	wrong = &tfprotov6.DynamicValue{MsgPack: []byte("\xa5wrong")}
)

// huge is a little more than servers send.
const huge = 257 << 20

func hang(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

func (s *server) PlanResourceChange(ctx context.Context, req *tfprotov6.PlanResourceChangeRequest) (*tfprotov6.PlanResourceChangeResponse, error) {
	defer busy.Call()()
	trouble := s.asked("plan", req.TypeName, req.Config, req.PriorState)
	switch trouble {
	case "plan-crash":
		panic("the plan is spoilt")
	case "plan-hang":
		return nil, hang(ctx)
	}
	resp, err := s.whole.PlanResourceChange(ctx, req)
	if err != nil {
		return resp, err
	}
	switch trouble {
	case "plan-other-value":
		resp.PlannedState = s.with(req.TypeName, resp.PlannedState, "title", text("not what you wrote"))
	case "plan-wrong-type":
		resp.PlannedState = wrong
	case "plan-missing-attribute":
		resp.PlannedState = s.without(req.TypeName, resp.PlannedState, "title")
	case "plan-null":
		resp.PlannedState = s.null(req.TypeName)
	case "plan-write-only":
		resp.PlannedState = s.with(req.TypeName, resp.PlannedState, "password_wo", text("kept"))
	case "plan-replace-nowhere":
		resp.RequiresReplace = append(resp.RequiresReplace, tftypes.NewAttributePath().WithAttributeName("nowhere"))
	case "plan-huge":
		resp.PlannedState = s.with(req.TypeName, resp.PlannedState, "label", text(strings.Repeat("x", huge)))
	case "plan-defer":
		resp.Deferred = &tfprotov6.Deferred{Reason: tfprotov6.DeferredReasonAbsentPrereq}
	case "plan-print":
		fmt.Println("a line on standard output")
	}
	return resp, nil
}

func (s *server) ApplyResourceChange(ctx context.Context, req *tfprotov6.ApplyResourceChangeRequest) (*tfprotov6.ApplyResourceChangeResponse, error) {
	defer busy.Call()()
	trouble := s.asked("apply", req.TypeName, req.Config, req.PriorState)
	switch trouble {
	case "apply-crash-before":
		panic("the apply is spoilt before it began")
	case "apply-error-before":
		return &tfprotov6.ApplyResourceChangeResponse{
			NewState: req.PriorState, Private: req.PlannedPrivate, Diagnostics: problem("Nothing was done"),
		}, nil
	case "apply-hang":
		return nil, hang(ctx)
	case "apply-slow":
		time.Sleep(3 * time.Second)
	}
	resp, err := s.whole.ApplyResourceChange(ctx, req)
	if err != nil {
		return resp, err
	}
	switch trouble {
	case "apply-crash-after":
		panic("the apply is spoilt after it was done")
	case "apply-error-after":
		resp.Diagnostics = append(resp.Diagnostics, problem("Something went wrong on the way")...)
	case "apply-other-value":
		resp.NewState = s.with(req.TypeName, resp.NewState, "title", text("not what was planned"))
	case "apply-unknown":
		resp.NewState = s.with(req.TypeName, resp.NewState, "label", unknown)
	case "apply-null":
		resp.NewState = s.null(req.TypeName)
	case "apply-missing-attribute":
		resp.NewState = s.without(req.TypeName, resp.NewState, "title")
	case "apply-huge":
		resp.NewState = s.with(req.TypeName, resp.NewState, "label", text(strings.Repeat("x", huge)))
	case "apply-wrong-type":
		resp.NewState = wrong
	}
	return resp, nil
}

func (s *server) ReadResource(ctx context.Context, req *tfprotov6.ReadResourceRequest) (*tfprotov6.ReadResourceResponse, error) {
	defer busy.Call()()
	trouble := s.asked("read", req.TypeName, req.CurrentState)
	switch trouble {
	case "read-crash":
		panic("the read is spoilt")
	case "read-hang":
		return nil, hang(ctx)
	}
	resp, err := s.whole.ReadResource(ctx, req)
	if err != nil {
		return resp, err
	}
	switch trouble {
	case "read-unknown":
		resp.NewState = s.with(req.TypeName, resp.NewState, "label", unknown)
	case "read-wrong-type":
		resp.NewState = wrong
	case "read-missing-attribute":
		resp.NewState = s.without(req.TypeName, resp.NewState, "title")
	case "read-defer":
		resp.Deferred = &tfprotov6.Deferred{Reason: tfprotov6.DeferredReasonProviderConfigUnknown}
	}
	return resp, nil
}

// These two are never spoilt.

func (s *server) ValidateResourceConfig(ctx context.Context, req *tfprotov6.ValidateResourceConfigRequest) (*tfprotov6.ValidateResourceConfigResponse, error) {
	defer busy.Call()()
	return s.whole.ValidateResourceConfig(ctx, req)
}

func (s *server) UpgradeResourceState(ctx context.Context, req *tfprotov6.UpgradeResourceStateRequest) (*tfprotov6.UpgradeResourceStateResponse, error) {
	defer busy.Call()()
	return s.whole.UpgradeResourceState(ctx, req)
}

func problem(summary string) []*tfprotov6.Diagnostic {
	return []*tfprotov6.Diagnostic{{Severity: tfprotov6.DiagnosticSeverityError, Summary: summary, Detail: "As was asked for."}}
}
