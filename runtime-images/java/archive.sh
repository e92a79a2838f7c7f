#!/bin/sh
# Makes OUT, an archive of the classes that a waiting process has loaded; a JVM that maps it has them in half the time. archive.sh JAR OUT.
# Only for the very JVM that made it, and for the jar at that very path: another one starts as without it.
set -eu
java -XX:ArchiveClassesAtExit="$2" -Xshare:auto -Xlog:cds*=off -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData \
  -cp "$1" dev.kappa.runtime.Training
test -s "$2"
