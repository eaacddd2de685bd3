package proxmoxve

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

func TestNames(t *testing.T) {
	for name, wanted := range map[string][2]string{
		"proxmox_vm":                                {"index", "Vm"},
		"proxmox_virtual_environment_vm2":           {"index", "Vm2Legacy"},
		"proxmox_virtual_environment_container":     {"index", "ContainerLegacy"},
		"proxmox_storage_zfspool":                   {"storage", "Zfspool"},
		"proxmox_virtual_environment_download_file": {"download", "FileLegacy"},
		"proxmox_acme_dns_plugin":                   {"acme/dns", "Plugin"},
	} {
		module, member, err := split(name)
		if err != nil || module != wanted[0] || member != wanted[1] {
			t.Errorf("%s: %s, %s, %v", name, module, member, err)
		}
	}
	if _, _, err := split("aws_instance"); err == nil {
		t.Error("a foreign name is taken")
	}
}

func TestIDIsTheNameThatAPersonGave(t *testing.T) {
	plain := resource.PropertyMap{ownID: resource.NewProperty("quickOS")}
	secret := resource.PropertyMap{ownID: resource.MakeSecret(resource.NewProperty("quickOS"))}
	for _, state := range []resource.PropertyMap{plain, secret} {
		if id, err := idFromState(t.Context(), state); err != nil || id != "quickOS" {
			t.Errorf("%v: %q, %v", state, id, err)
		}
	}
	if _, err := idFromState(t.Context(), resource.PropertyMap{}); err == nil {
		t.Error("a resource without id is taken")
	}
}

func TestEveryResourceHasATokenAndStoragesTheirOwnID(t *testing.T) {
	info := Provider([]byte(`{}`))
	for name, r := range info.Resources {
		if r.Tok == "" {
			t.Errorf("%s has no token", name)
		}
	}
	for _, name := range []string{"proxmox_storage_zfspool", "proxmox_storage_directory"} {
		r := info.Resources[name]
		if r == nil || r.ComputeID == nil || r.Fields["id"].Name != ownID {
			t.Errorf("%s takes no %s", name, ownID)
		}
	}
	if r := info.Resources["proxmox_virtual_environment_container"]; r.Fields["id"] != nil {
		t.Error("a container's id is Pulumi's")
	}
}
