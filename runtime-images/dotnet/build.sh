#!/bin/sh
# Makes OUT/kappa-runtime.dll, and OUT/rehearsal/Function.dll that it tries first: build.sh OUT [DOTNET [SDK]].
# DOTNET is the program `dotnet` that runs the compiler (default: the one on PATH); SDK is the folder with sdk/VERSION/Roslyn and packs/Microsoft.NETCore.App.Ref (default: DOTNET's own). No NuGet, no MSBuild.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
dotnet=$(readlink -f "$(command -v "${2:-dotnet}")")
sdk=${3:-$(dirname "$dotnet")}
mkdir -p "$1"
out=$(cd "$1" && pwd)
rm -rf "${out:?}"/* "$out/.made-of"
mkdir "$out/rehearsal"
newest() { ls -d "$@" | sort -V | tail -n 1; }
compiler=$(newest "$sdk"/sdk/*/Roslyn/bincore/csc.dll)
references=$(newest "$sdk"/packs/Microsoft.NETCore.App.Ref/*/ref/net*)
set --
for each in "$references"/*.dll; do set -- "$@" "-reference:$each"; done
compile() {
  DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 "$dotnet" exec --roll-forward Major "$compiler" -nologo -noconfig -nostdlib -langversion:8 \
    -optimize -deterministic -debug:portable "-pathmap:$here=/kappa" "$@"
}
compile "$@" -main:Kappa.Runtime.Program "-out:$out/kappa-runtime.dll" "$here"/src/*.cs
compile "$@" -target:library "-out:$out/rehearsal/Core.dll" "$here/rehearsal/Core.cs"
compile "$@" -target:library "-reference:$out/rehearsal/Core.dll" "-out:$out/rehearsal/Function.dll" "$here/rehearsal/Function.cs"
cp "$here/kappa-runtime.runtimeconfig.json" "$out/"
