// Package modern is the part of the provider that is written with terraform-plugin-framework.
package modern

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/provider/metaschema"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"example.com/plumb/conformance/internal/remote"
)

type modern struct {
	nested bool
}

// New gives the provider, with or without the resource type that only protocol 6 can describe.
func New(nested bool) provider.Provider { return &modern{nested: nested} }

var (
	_ provider.ProviderWithFunctions          = &modern{}
	_ provider.ProviderWithEphemeralResources = &modern{}
	_ provider.ProviderWithMetaSchema         = &modern{}
	_ provider.ProviderWithActions            = &modern{}
	_ provider.ProviderWithListResources      = &modern{}
)

func (p *modern) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = "conformance"
	resp.Version = "1.0.0"
}

// Schema is the same as that of the part written with the older kit: providers behind one server must agree.
func (p *modern) Schema(_ context.Context, _ provider.SchemaRequest, resp *provider.SchemaResponse) {
	resp.Schema = schema.Schema{Attributes: map[string]schema.Attribute{
		"remote": schema.StringAttribute{Optional: true},
		"token":  schema.StringAttribute{Optional: true, Sensitive: true},
		"refuse": schema.BoolAttribute{Optional: true},
	}}
}

func (p *modern) MetaSchema(_ context.Context, _ provider.MetaSchemaRequest, resp *provider.MetaSchemaResponse) {
	resp.Schema = metaschema.Schema{Attributes: map[string]metaschema.Attribute{
		"module_name": metaschema.StringAttribute{Optional: true},
	}}
}

type config struct {
	Remote types.String `tfsdk:"remote"`
	Token  types.String `tfsdk:"token"`
	Refuse types.Bool   `tfsdk:"refuse"`
}

func (p *modern) Configure(ctx context.Context, req provider.ConfigureRequest, resp *provider.ConfigureResponse) {
	var config config
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if config.Refuse.ValueBool() {
		resp.Diagnostics.AddError("Configuration refused", "The attribute `refuse` says so.")
		return
	}
	system := remote.Shared(config.Remote.ValueString())
	resp.ResourceData, resp.DataSourceData, resp.EphemeralResourceData = system, system, system
	resp.ActionData, resp.ListResourceData = system, system
}

func (p *modern) Resources(context.Context) []func() resource.Resource {
	all := []func() resource.Resource{
		func() resource.Resource { return &thing{} },
		func() resource.Resource { return &blocks{} },
	}
	if p.nested {
		all = append(all, func() resource.Resource { return &nested{} })
	}
	return all
}

func (p *modern) DataSources(context.Context) []func() datasource.DataSource {
	return []func() datasource.DataSource{func() datasource.DataSource { return &thingData{} }}
}

func (p *modern) EphemeralResources(context.Context) []func() ephemeral.EphemeralResource {
	return []func() ephemeral.EphemeralResource{func() ephemeral.EphemeralResource { return &lease{} }}
}

func (p *modern) Actions(context.Context) []func() action.Action {
	return []func() action.Action{func() action.Action { return &notify{} }}
}

func (p *modern) ListResources(context.Context) []func() list.ListResource {
	return []func() list.ListResource{func() list.ListResource { return &things{} }}
}

func (p *modern) Functions(context.Context) []func() function.Function {
	return []func() function.Function{
		func() function.Function { return &join{} },
		func() function.Function { return &describe{} },
	}
}

// managed is what every resource type of this package has: the remote system.
type managed struct {
	remote *remote.Remote
}

func (m *managed) Configure(_ context.Context, req resource.ConfigureRequest, _ *resource.ConfigureResponse) {
	// Before the provider is configured there is nothing to give.
	m.remote, _ = req.ProviderData.(*remote.Remote)
}
