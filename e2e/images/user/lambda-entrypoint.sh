#!/bin/sh
# As in AWS's base images: the handler is the only word, and without a Runtime API an emulator would be started.
if [ $# -ne 1 ]; then
  echo "entrypoint requires the handler name to be the first argument" 1>&2
  exit 142
fi
export _HANDLER="$1"
if [ -z "${AWS_LAMBDA_RUNTIME_API}" ]; then
  echo "there is no Runtime API" 1>&2
  exit 143
fi
exec node "$LAMBDA_RUNTIME_DIR/bootstrap.mjs"
