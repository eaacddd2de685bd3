package proxmoxve

import (
	"slices"
	"strings"
	"testing"

	"github.com/bpg/terraform-provider-proxmox/fwprovider"
	"github.com/bpg/terraform-provider-proxmox/proxmoxtf/provider"
	framework "github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	sdk "github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
)

// What replaces a resource instead of changing it, read in the provider's source at v0.112.0 (`ForceNew: true` in
// proxmoxtf/resource, `RequiresReplace()` in fwprovider), for every resource that Phoenix uses: the program's
// ignoreChanges, guards and previews rest on it. A newer provider that replaces for more must not arrive unnoticed.
//
// Two more replace by a comparison at plan time, not by the schema: a container's vm_id when it really changes, and
// its disk.size when it shrinks.
var replaces = map[string][]string{
	"proxmox_virtual_environment_container": {
		"clone.datastore_id", "clone.full", "clone.node_name", "clone.vm_id",
		"disk.datastore_id",
		"initialization.user_account", "initialization.user_account.keys", "initialization.user_account.password",
		"mount_point", "mount_point.size", "mount_point.volume",
		"node_name",
		"operating_system", "operating_system.template_file_id",
		"pool_id", "template", "unprivileged",
	},
	"proxmox_virtual_environment_file": {
		"content_type", "datastore_id", "file_mode", "file_modification_date", "file_size", "file_tag", "node_name",
		"source_file", "source_file.changed", "source_file.checksum", "source_file.file_name",
		"source_file.insecure", "source_file.min_tls", "source_file.path",
		"source_raw", "source_raw.data", "source_raw.file_name", "source_raw.resize",
	},
	"proxmox_download_file": {
		"checksum", "checksum_algorithm", "content_type", "datastore_id", "decompression_algorithm", "file_name",
		"node_name", "size", "url",
	},
	"proxmox_storage_directory": {"id", "path"},
	"proxmox_storage_nfs":       {"export", "id", "preallocation", "server", "snapshot_as_volume_chain"},
	"proxmox_storage_zfspool":   {"id", "zfs_pool"},
}

func TestWhatReplacesIsKnown(t *testing.T) {
	found := map[string][]string{}
	for name, r := range provider.ProxmoxVirtualEnvironment().ResourcesMap {
		if _, used := replaces[name]; used {
			found[name] = oldReplacing("", r.Schema)
		}
	}
	server := fwprovider.New("0.0.0-dev")()
	for _, make := range server.Resources(t.Context()) {
		r := make()
		var meta framework.MetadataResponse
		r.Metadata(t.Context(), framework.MetadataRequest{ProviderTypeName: "proxmox"}, &meta)
		if _, used := replaces[meta.TypeName]; used {
			var answer framework.SchemaResponse
			r.Schema(t.Context(), framework.SchemaRequest{}, &answer)
			found[meta.TypeName] = newReplacing(t, answer.Schema)
		}
	}
	for name, wanted := range replaces {
		slices.Sort(found[name])
		if !slices.Equal(found[name], wanted) {
			t.Errorf("%s\n  replaces for %v\n  known are    %v", name, found[name], wanted)
		}
	}
}

func oldReplacing(prefix string, fields map[string]*sdk.Schema) []string {
	var names []string
	for name, field := range fields {
		if field.ForceNew {
			names = append(names, prefix+name)
		}
		if inner, ok := field.Elem.(*sdk.Resource); ok {
			names = append(names, oldReplacing(prefix+name+".", inner.Schema)...)
		}
	}
	return names
}

func newReplacing(t *testing.T, s schema.Schema) []string {
	t.Helper()
	var names []string
	for name, attribute := range s.Attributes {
		var words []string
		switch a := attribute.(type) {
		case schema.StringAttribute:
			for _, m := range a.PlanModifiers {
				words = append(words, m.Description(t.Context()))
			}
		case schema.BoolAttribute:
			for _, m := range a.PlanModifiers {
				words = append(words, m.Description(t.Context()))
			}
		case schema.Int64Attribute:
			for _, m := range a.PlanModifiers {
				words = append(words, m.Description(t.Context()))
			}
		case schema.SetAttribute:
			for _, m := range a.PlanModifiers {
				words = append(words, m.Description(t.Context()))
			}
		default:
			t.Errorf("%s: a %T is not looked into", name, a)
		}
		if strings.Contains(strings.Join(words, " "), "recreate") || strings.Contains(strings.Join(words, " "), "replacement") {
			names = append(names, name)
		}
	}
	return names
}
