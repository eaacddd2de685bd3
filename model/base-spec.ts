import type { Allowed } from "./allowed.ts";

/** The base system of the node: one step for each setting, in the order in which they are taken. */
export interface BaseSpec {
  hostname?: { hostname: string; address: string };
  disabledRepositories: string[];
  repositories: RepositorySpec[];
  /** A new word asks for one upgrade of everything. */
  upgrade?: string;
  packages: string[];
  timezone?: string;
  timeServers: string[];
  logRotations: LogRotationSpec[];
}

/** As `feature_setup_repository.sh` takes it. */
export interface RepositorySpec {
  name: string;
  types: string[];
  uris: string[];
  suites: string[];
  components: string[];
  keyText?: string;
  keyPath?: string;
  keySha256?: string;
  allow: Allowed[];
}

/** As `feature_rotate_logs.sh` takes it. */
export interface LogRotationSpec {
  name: string;
  files: string[];
  frequency: string;
  keep: number;
  maxSize?: string;
  compress: boolean;
}
