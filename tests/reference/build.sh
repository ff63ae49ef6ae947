#!/usr/bin/env bash
# Builds the reference tools that the tests compare against or run next to, each at one
# exact version, as Go modules from the directories beside this script. opa-batch, podsecurity,
# referrers-registry and istio-inject are small programs of ours around the packages of OPA, of Pod
# Security admission, of go-containerregistry and of Istio.
#
#   build.sh [-o DIR] [-f] [TOOL…]   build what is absent (all, if none is named)
#   build.sh --list                  the tools, their packages and versions
#   build.sh [-o DIR] --dir          print the output directory and do nothing
#
#   -o DIR   output directory. Default: a directory of the user's cache whose name is a
#            hash of all versions, so that another set of versions gets another directory.
#   -f       build even what is there.
#
# A tool is rebuilt when its module files, its flags or the Go version have changed. One
# already built from the same inputs in a sibling directory of the cache is linked from there.
# Needs: bash, go, coreutils. Downloads modules through whatever module proxy go is set to use.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache="${XDG_CACHE_HOME:-$HOME/.cache}/meshgate-reference"

# The version of MODULE in DIR's go.mod.
version_of() {
  awk -v m="$2" '$1 == m && $2 ~ /^v/ {print $2; exit} $1 == "require" && $2 == m {print $3; exit}' "$here/$1/go.mod"
}

# NAME | DIRECTORY | MODULE that gives the version | PACKAGE | what -X flags are added
tools='
opa|opa|github.com/open-policy-agent/opa|github.com/open-policy-agent/opa|
opa-batch|opa|github.com/open-policy-agent/opa|./batch|
etcd|etcd|go.etcd.io/etcd/server/v3|go.etcd.io/etcd/server/v3|
kube-apiserver|kubernetes|k8s.io/kubernetes|k8s.io/kubernetes/cmd/kube-apiserver|kubernetes
kube-controller-manager|kubernetes|k8s.io/kubernetes|k8s.io/kubernetes/cmd/kube-controller-manager|kubernetes
kubectl|kubernetes|k8s.io/kubernetes|k8s.io/kubernetes/cmd/kubectl|kubernetes
helm|helm|helm.sh/helm/v3|helm.sh/helm/v3/cmd/helm|
podsecurity|podsecurity|k8s.io/pod-security-admission|.|
crane|crane|github.com/google/go-containerregistry|github.com/google/go-containerregistry/cmd/crane|
referrers-registry|crane|github.com/google/go-containerregistry|./registry|
cosign|cosign|github.com/sigstore/cosign/v3|github.com/sigstore/cosign/v3/cmd/cosign|cosign
istioctl|istio|istio.io/istio|istio.io/istio/istioctl/cmd/istioctl|
istio-inject|istio|istio.io/istio|./inject|
'

# Without these the programs of Kubernetes say v0.0.0-master+$Format:%H$, which clients can't
# parse. Upstream's own build sets the same variables in the same two packages.
kubernetes_flags() { # VERSION
  local p major minor
  major=${1#v}
  minor=${major#*.}
  for p in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    printf -- '-X %s.gitVersion=%s -X %s.gitMajor=%s -X %s.gitMinor=%s -X %s.gitTreeState=archive ' \
      "$p" "$1" "$p" "${major%%.*}" "$p" "${minor%%.*}" "$p"
  done
}

select_tool() { # NAME: sets dir module package xflags version
  local line
  line=$(grep -m1 -- "^$1|" <<<"$tools") || { echo "build.sh: no tool $1 (see --list)" >&2; exit 2; }
  IFS='|' read -r _ dir module package xflags <<<"$line"
  version=$(version_of "$dir" "$module")
  [ "$xflags" != kubernetes ] || xflags=$(kubernetes_flags "$version")
  [ "$xflags" != cosign ] || xflags="-X sigs.k8s.io/release-utils/version.gitVersion=$version"
}

names() { sed -n 's/|.*//p' <<<"$tools"; }

# What a tool is made from, as a hash.
key_of() { # NAME
  select_tool "$1"
  {
    go env GOVERSION GOOS GOARCH
    printf '%s\n' "$package" "$xflags"
    cat "$here/$dir/go.mod" "$here/$dir/go.sum"
    # A package of ours: its sources too.
    [ "$package" = "${package#.}" ] || cat "$here/$dir/$package"/*.go
  } | sha256sum | cut -c1-16
}

out='' force=0 action=build
wanted=()
while [ $# -gt 0 ]; do
  case "$1" in
  -o) out=$2; shift 2 ;;
  -f) force=1; shift ;;
  --list) action=list; shift ;;
  --dir) action=dir; shift ;;
  -h | --help) sed -n '2,/^set -euo/{/^set -euo/d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
  -*) echo "build.sh: unknown option $1" >&2; exit 2 ;;
  *) wanted+=("$1"); shift ;;
  esac
done

if [ "$action" = list ]; then
  for n in $(names); do
    select_tool "$n"
    printf '%-24s %-40s %s\n' "$n" "$version" "$package"
  done
  exit 0
fi

# Set before anything is hashed: nothing of the caller's environment may change the result.
export CGO_ENABLED=0 GOTOOLCHAIN=local GOWORK=off GOFLAGS='-mod=readonly -trimpath -buildvcs=false'

if [ -z "$out" ]; then
  hash=$(for n in $(names); do key_of "$n"; done | sha256sum | cut -c1-12)
  out=$cache/$hash
fi
if [ "$action" = dir ]; then
  printf '%s\n' "$out"
  exit 0
fi

if [ ${#wanted[@]} -eq 0 ]; then
  mapfile -t wanted < <(names)
fi

mkdir -p "$out"
out=$(cd "$out" && pwd)
# One build at a time for one output directory.
exec 9>"$out/.lock"
flock 9

runner=()
! command -v nice >/dev/null || runner=(nice)
for n in "${wanted[@]}"; do
  key=$(key_of "$n")
  select_tool "$n"
  if [ "$force" = 0 ] && [ -x "$out/$n" ] && [ "$(cat "$out/.$n.key" 2>/dev/null)" = "$key" ]; then
    printf '%-24s %s present\n' "$n" "$version"
    continue
  fi
  if [ "$force" = 0 ]; then
    for other in "$cache"/*/; do
      if [ "${other%/}" != "$out" ] && [ -x "$other$n" ] && [ "$(cat "$other.$n.key" 2>/dev/null)" = "$key" ]; then
        ln -f "$other$n" "$out/$n" 2>/dev/null || cp "$other$n" "$out/$n"
        printf '%s\n' "$key" >"$out/.$n.key"
        printf '%-24s %s taken from %s\n' "$n" "$version" "$other"
        continue 2
      fi
    done
  fi
  printf '%-24s %s building…\n' "$n" "$version"
  t0=$SECONDS
  rm -f "$out/.$n.key"
  (cd "$here/$dir" && "${runner[@]}" go build -ldflags "-s -w $xflags" -o "$out/.$n.new" "$package") 9>&-
  mv -f "$out/.$n.new" "$out/$n"
  printf '%s\n' "$key" >"$out/.$n.key"
  printf '%-24s %s built in %d s, %d MB\n' "$n" "$version" $((SECONDS - t0)) $(($(stat -c %s "$out/$n") / 1000000))
done
printf 'in %s\n' "$out"
