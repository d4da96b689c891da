package modern

import (
	"context"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	dataschema "github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral"
	ephemeralschema "github.com/hashicorp/terraform-plugin-framework/ephemeral/schema"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"example.com/plumb/conformance/internal/remote"
)

// thingData reads a thing by name.
type thingData struct{ remote *remote.Remote }

type thingDataModel struct {
	Name     types.String `tfsdk:"name"`
	Title    types.String `tfsdk:"title"`
	Revision types.Int64  `tfsdk:"revision"`
}

func (d *thingData) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_thing"
}

func (d *thingData) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = dataschema.Schema{Attributes: map[string]dataschema.Attribute{
		"name":     dataschema.StringAttribute{Required: true},
		"title":    dataschema.StringAttribute{Computed: true},
		"revision": dataschema.Int64Attribute{Computed: true},
	}}
}

func (d *thingData) Configure(_ context.Context, req datasource.ConfigureRequest, _ *datasource.ConfigureResponse) {
	d.remote, _ = req.ProviderData.(*remote.Remote)
}

func (d *thingData) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var data thingDataModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &data)...)
	if resp.Diagnostics.HasError() {
		return
	}
	object, err := d.remote.Get("thing", data.Name.ValueString())
	if err == nil && object == nil {
		err = remote.ErrMissing
	}
	if err != nil {
		resp.Diagnostics.AddAttributeError(path.Root("name"), "Thing not read", err.Error())
		return
	}
	var thing thingModel
	thing.refresh(object)
	data.Title, data.Revision = thing.Title, thing.Revision
	resp.Diagnostics.Append(resp.State.Set(ctx, data)...)
}

// lease is open for a second at a time; the history says when it was opened, renewed and closed.
type lease struct{ remote *remote.Remote }

type leaseModel struct {
	Name  types.String `tfsdk:"name"`
	Token types.String `tfsdk:"token"`
}

var (
	_ ephemeral.EphemeralResourceWithRenew     = &lease{}
	_ ephemeral.EphemeralResourceWithClose     = &lease{}
	_ ephemeral.EphemeralResourceWithConfigure = &lease{}
)

func (l *lease) Metadata(_ context.Context, req ephemeral.MetadataRequest, resp *ephemeral.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_lease"
}

func (l *lease) Schema(_ context.Context, _ ephemeral.SchemaRequest, resp *ephemeral.SchemaResponse) {
	resp.Schema = ephemeralschema.Schema{Attributes: map[string]ephemeralschema.Attribute{
		"name":  ephemeralschema.StringAttribute{Required: true},
		"token": ephemeralschema.StringAttribute{Computed: true, Sensitive: true},
	}}
}

func (l *lease) Configure(_ context.Context, req ephemeral.ConfigureRequest, _ *ephemeral.ConfigureResponse) {
	l.remote, _ = req.ProviderData.(*remote.Remote)
}

func (l *lease) Open(ctx context.Context, req ephemeral.OpenRequest, resp *ephemeral.OpenResponse) {
	var data leaseModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &data)...)
	if _, err := l.remote.Note("open", "lease", data.Name.ValueString()); err != nil {
		resp.Diagnostics.AddError("Lease not opened", err.Error())
		return
	}
	data.Token = types.StringValue("token of " + data.Name.ValueString())
	resp.Diagnostics.Append(resp.Private.SetKey(ctx, "name", []byte(`"`+data.Name.ValueString()+`"`))...)
	resp.RenewAt = time.Now().Add(time.Second)
	resp.Diagnostics.Append(resp.Result.Set(ctx, data)...)
}

func (l *lease) Renew(ctx context.Context, req ephemeral.RenewRequest, resp *ephemeral.RenewResponse) {
	name, diags := req.Private.GetKey(ctx, "name")
	resp.Diagnostics.Append(diags...)
	if _, err := l.remote.Note("renew", "lease", strings.Trim(string(name), `"`)); err != nil {
		resp.Diagnostics.AddError("Lease not renewed", err.Error())
	}
	resp.RenewAt = time.Now().Add(time.Second)
}

func (l *lease) Close(ctx context.Context, req ephemeral.CloseRequest, resp *ephemeral.CloseResponse) {
	name, diags := req.Private.GetKey(ctx, "name")
	resp.Diagnostics.Append(diags...)
	if _, err := l.remote.Note("close", "lease", strings.Trim(string(name), `"`)); err != nil {
		resp.Diagnostics.AddError("Lease not closed", err.Error())
	}
}

// join puts words together: a variadic function that refuses empty words.
type join struct{}

func (f *join) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "join"
}

func (f *join) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = function.Definition{
		Summary:           "Puts words together",
		Parameters:        []function.Parameter{function.StringParameter{Name: "separator"}},
		VariadicParameter: function.StringParameter{Name: "words"},
		Return:            function.StringReturn{},
	}
}

func (f *join) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	var separator string
	var words []string
	resp.Error = function.ConcatFuncErrors(resp.Error, req.Arguments.Get(ctx, &separator, &words))
	for i, word := range words {
		if word == "" {
			resp.Error = function.NewArgumentFuncError(int64(i)+1, "a word is empty")
			return
		}
	}
	resp.Error = function.ConcatFuncErrors(resp.Error, resp.Result.Set(ctx, strings.Join(words, separator)))
}

// describe takes a value of any type, null and unknown too.
type describe struct{}

func (f *describe) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "describe"
}

func (f *describe) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = function.Definition{
		Summary: "Says what a value is",
		Parameters: []function.Parameter{function.DynamicParameter{
			Name: "value", AllowNullValue: true, AllowUnknownValues: true,
		}},
		Return: function.StringReturn{},
	}
}

func (f *describe) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	var value types.Dynamic
	resp.Error = function.ConcatFuncErrors(resp.Error, req.Arguments.Get(ctx, &value))
	text := "a value"
	switch {
	case value.IsNull() || value.IsUnderlyingValueNull():
		text = "null"
	case value.IsUnknown() || value.IsUnderlyingValueUnknown():
		text = "unknown"
	default:
		text = value.UnderlyingValue().Type(ctx).String()
	}
	resp.Error = function.ConcatFuncErrors(resp.Error, resp.Result.Set(ctx, text))
}
