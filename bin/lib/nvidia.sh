# shellcheck shell=bash
# The NVIDIA driver's packages and files, on the node and in guests alike: what is named inside_… goes along with
# guest_run. Everything has a pinned version; what is fetched has a checksum; nothing is piped into a shell.

# The library that every program meets the driver through carries the version in its file name.
inside_library_version() {
  local link
  link=$(ldconfig -p | awk '$1 == "libnvidia-ml.so.1" && /x86-64/ { print $NF; exit }') || true
  if [[ -z $link || ! -e $link ]]; then return 0; fi
  link=$(readlink -f -- "$link")
  printf '%s' "${link##*/libnvidia-ml.so.}"
}

# inside_fetch URL SHA256 FILE: by apt's own downloader, which is everywhere and knows the proxy.
inside_fetch() {
  local url=$1 sum=${2,,} file=$3 found
  [[ $sum =~ ^[0-9a-f]{64}$ ]] || fail BAD_PARAMETERS "there is no SHA-256 for $url" "nothing is fetched without a checksum"
  if [[ -f $file && $(sha256sum <"$file") == "$sum  -" ]]; then return 0; fi
  mkdir -p -- "$(dirname -- "$file")"
  rm -f -- "$file.new"
  # Compared here and not by the downloader, to which another sum is a failure of the network.
  step "Downloading $url" NETWORK /usr/lib/apt/apt-helper download-file "$url" "$file.new"
  found=$(sha256sum <"$file.new")
  if [[ $found != "$sum  -" ]]; then
    rm -f -- "$file.new"
    fail MISMATCH "$url has the SHA-256 ${found%% *}, wanted $sum; it was not used" \
      "compare with what its maker publishes before you change the checksum in the configuration"
  fi
  mv -f -- "$file.new" "$file"
}

# Prints the Debian archives that the node or guest takes main from and nothing non-free: "URI SUITE" lines. What
# stands in the file of ours does not count.
inside_archives() {
  local own=$1
  # Also where no list has been read yet, as in a fresh guest.
  apt-get indextargets --no-release-info --format "\$(COMPONENT) \$(REPO_URI) \$(RELEASE) \$(SOURCESENTRY)" 'Created-By: Packages' |
    awk -v own="$own:" '
      index($4, own) == 1 { next }
      $3 !~ /^(bookworm|trixie|stable)/ { next }
      $1 == "main" { main[$2 " " $3] = 1 }
      $1 == "non-free" { full[$2 " " $3] = 1 }
      END { for (place in main) if (!(place in full)) print place }' | sort
}

# inside_source_text SOURCE URI KEYRING FILE: what stands in FILE, the apt source of the driver. Empty if none is needed.
inside_source_text() {
  local source=$1 uri=$2 keyring=$3 file=$4 codename place suite places=()
  local debian=/usr/share/keyrings/debian-archive-keyring.gpg
  case $source in
    vendor-repository)
      printf 'Types: deb\nURIs: %s\nSuites: /\nSigned-By: %s\n' "$uri" "$keyring"
      ;;
    distribution)
      if [[ -n $uri ]]; then
        codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
        places=("$uri $codename")
      else
        mapfile -t places < <(inside_archives "$file")
      fi
      if [[ -z $keyring && -e $debian ]]; then keyring=$debian; fi
      for place in "${places[@]}"; do
        read -r uri suite <<<"$place"
        printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: contrib non-free non-free-firmware\n' "$uri" "$suite"
        if [[ -n $keyring ]]; then printf 'Signed-By: %s\n' "$keyring"; fi
        printf '\n'
      done
      ;;
  esac
}

# inside_pin_text VERSION: of all packages of the driver, only this version; above what any repository offers.
inside_pin_text() {
  printf 'Package: *nvidia* libcuda* libnv*\nPin: version %s-*\nPin-Priority: 1001\n' "$1"
}

# inside_wrong_packages VERSION PACKAGE…: those that are missing, or of another version although this one is to be had.
# Packages that the driver's version does not count for (nvidia-modprobe in Debian) need only be there.
inside_wrong_packages() {
  local version=$1 package now offered
  shift
  for package in "$@"; do
    now=$(dpkg-query -W -f '${db:Status-Status} ${Version}' "$package" 2>/dev/null) || true
    if [[ $now != installed* ]]; then
      printf '%s is not installed\n' "$package"
    elif [[ ${now#installed } != "$version"-* ]]; then
      offered=$(apt-cache madison "$package" 2>/dev/null | awk -v v="$version-" 'index($3, v) == 1 { print $3; exit }') || true
      if [[ -n $offered ]]; then printf '%s is %s\n' "$package" "${now#installed }"; fi
    fi
  done
}

# inside_install_driver VERSION PACKAGE…: at this version or not at all.
inside_install_driver() {
  local version=$1 package offered
  shift
  wait_for_names
  refresh_package_lists
  if [[ -n $(dpkg --audit) ]]; then
    step "Finishing an interrupted installation" PACKAGES dpkg --configure -a
  fi
  for package in "$@"; do
    offered=$(apt-cache policy "$package" | sed -n 's/^  Candidate: //p') || true
    if [[ -z $offered || $offered == "(none)" ]]; then
      fail MISSING_PREREQUISITE "package $package of driver $version is not to be had from this machine's repositories" \
        "look at source, repository and version of the driver in the configuration"
    fi
  done
  # Read whole first: a reader that stops early would make the writer fail.
  offered=$(apt-cache policy "$@")
  if [[ $offered != *"  Candidate: $version-"* ]]; then
    fail MISSING_PREREQUISITE "driver $version is not to be had; there is: $(apt-cache madison "$1" | awk '{ print $3 }' | sort -u | paste -sd ' ')" \
      "pin one of these versions, for host and containers alike"
  fi
  step "Installing driver $version ($*)" PACKAGES apt-get -y --no-install-recommends --allow-downgrades \
    -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 -o Dpkg::Options::=--force-confdef \
    -o Dpkg::Options::=--force-confold install "$@"
}
