#!/bin/sh
# Makes OUT/kappa-runtime.jar and, beside it, the official runtime client with its native libraries in OUT/jni: build.sh OUT. Needs mvn and a JDK (17 or later).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
out=$(cd "$1" && pwd)
rm -rf "${out:?}"/* "$out/.made-of"
mvn -q -B -f "$here/pom.xml" org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies -DoutputDirectory="$out"
(cd "$out" && sha256sum -c --quiet "$here/lib.sha256" && [ "$(ls ./*.jar | wc -l)" = "$(wc -l <"$here/lib.sha256")" ])
javac -d "$out/classes" --release 17 -encoding UTF-8 -cp "$out/*" "$here"/src/dev/kappa/runtime/*.java
{
  echo 'Main-Class: dev.kappa.runtime.Boot'
  echo 'Add-Opens: java.base/java.lang java.base/java.util'
  echo 'Enable-Native-Access: ALL-UNNAMED'
  echo "Class-Path:$(cd "$out" && printf ' %s' *.jar)"
} >"$out/manifest"
jar --create --file "$out/kappa-runtime.jar" --manifest "$out/manifest" -C "$out/classes" .
rm -r "$out/classes" "$out/manifest"
(cd "$out" && jar --extract --file aws-lambda-java-runtime-interface-client-*.jar jni)
