# The platform's two images, which differ in entry point and labels: buildah build --target gateway . and --target controller .
# BASE: any image with Node.js 24 or later on PATH, a shell and CA certificates; npm only for the stage `modules`.
# A build without a network gives the modules instead: --build-context modules=DIR, with DIR/app as that stage leaves it (docs/images.md).
ARG BASE=docker.io/library/node:24.21.0-trixie-slim

FROM ${BASE} AS modules
WORKDIR /app
COPY package.json package-lock.json ./
COPY bundle/package.json bundle/
COPY crds/package.json crds/
COPY gateway/package.json gateway/
COPY controller/package.json controller/
# Not `npm ci`: it wants the development tools of every other system in the lock file. The versions are the lock file's all the same.
RUN npm install --no-save --omit=dev --ignore-scripts --no-audit --no-fund -w bundle -w crds -w gateway -w controller \
 && rm package-lock.json

# What is used of sources and modules, in a few files: docs/adr/0013-bundled-images.md.
FROM ${BASE} AS bundle
WORKDIR /app
COPY --from=modules /app ./
COPY LICENSE ./
COPY bundle ./bundle
COPY crds ./crds
COPY gateway ./gateway
COPY controller ./controller
COPY runtime-images/runtimes.yaml ./runtime-images/
RUN node --disable-warning=ExperimentalWarning bundle/src/main.ts /bundle

# To read stack traces by: docker build --target maps -o maps .
FROM scratch AS maps
COPY --from=bundle /bundle/maps /

FROM ${BASE} AS app
WORKDIR /app
COPY --from=bundle /bundle/app ./
ENV NODE_ENV=production NODE_COMPILE_CACHE=/app/.compile-cache
# Compiled here once, since the root file system is read-only later: a start then takes about half the CPU time. Each process loads
# everything and stops at the port that is none; parts that are loaded later follow. Node keeps a cache per user: it is made by the one
# that will read it; that is a number, so that runAsNonRoot can be checked.
RUN mkdir -m 1777 .compile-cache
USER 65532:65532
RUN for name in gateway controller; do \
      KAPPA_PORT=none KAPPA_CONTROLLER_PORT=none timeout 60 node --disable-warning=ExperimentalWarning dist/$name.js 2>&1 \
      | grep -q 'KAPPA_[A-Z_]*PORT' || exit 1; \
    done \
 && node -e "for (const file of fs.readdirSync('dist')) if (file.startsWith('part-')) import('./dist/' + file)"
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.source="https://github.com/kappa-dev/kappa" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

FROM app AS controller
LABEL org.opencontainers.image.title="kappa-controller" \
      org.opencontainers.image.description="Kappa's controller: keeps the pools of pods and publishes functions"
EXPOSE 9002
ENTRYPOINT ["node", "--disable-warning=ExperimentalWarning", "dist/controller.js"]

FROM app AS gateway
LABEL org.opencontainers.image.title="kappa-gateway" \
      org.opencontainers.image.description="Kappa's gateway: takes Lambda Invoke calls and function URLs and runs them in pods"
EXPOSE 9000 9003 9200
ENTRYPOINT ["node", "--disable-warning=ExperimentalWarning", "dist/gateway.js"]
