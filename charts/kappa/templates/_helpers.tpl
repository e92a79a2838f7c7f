{{- define "kappa.labels" -}}
app.kubernetes.io/part-of: kappa
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name (.Chart.Version | replace "+" "_") }}
{{- end }}

{{/* Labels of pods: nothing that changes with the chart's version, so that an upgrade rolls only what is new. */}}
{{- define "kappa.podLabels" -}}
app.kubernetes.io/part-of: kappa
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{ include "kappa.component" . }}
{{- end }}

{{/* kappa.component (dict "root" . "name" "kappa-gateway"): labels that selectors use. They never change. */}}
{{- define "kappa.component" -}}
app.kubernetes.io/name: {{ .name }}
{{- end }}

{{- define "kappa.image" -}}
{{ .root.Values.image.registry }}{{ .name }}:{{ .root.Values.image.tag | default .root.Chart.AppVersion }}
{{- end }}

{{- define "kappa.redisUrl" -}}
{{ .Values.redis.url | default "redis://kappa-redis:6379" }}
{{- end }}

{{- define "kappa.publicUrl" -}}
{{ .Values.gateway.publicUrl | default (printf "http://kappa-gateway.%s" .Release.Namespace) }}
{{- end }}

{{/* Where functions find AWS's services: the gateway is Lambda, where they may reach it. */}}
{{- define "kappa.awsEndpoints" -}}
{{- $gateway := printf "http://kappa-gateway.%s" .Release.Namespace -}}
{{- $all := dict "AWS_ENDPOINT_URL_LAMBDA" (ternary $gateway "" .Values.functions.allowGateway) -}}
{{- range $name, $url := .Values.awsEndpoints }}{{ $_ := set $all $name $url }}{{ end -}}
{{- toJson $all -}}
{{- end }}

{{/* Port of a URL, by its scheme when it says none: kappa.port "https://s3.example" → 443 */}}
{{- define "kappa.port" -}}
{{- $url := urlParse . -}}
{{- $explicit := regexFind ":[0-9]+$" $url.host | trimPrefix ":" -}}
{{- $byScheme := dict "https" "443" "http" "80" "redis" "6379" "rediss" "6379" -}}
{{ $explicit | default (get $byScheme $url.scheme) }}
{{- end }}

{{/* Ports of `awsEndpoints`, each once. */}}
{{- define "kappa.awsPorts" -}}
{{- $ports := list -}}
{{- range .Values.awsEndpoints }}{{ with . }}{{ $ports = append $ports (include "kappa.port" . | int) }}{{ end }}{{ end -}}
{{- $ports | uniq | sortAlpha | toJson -}}
{{- end }}

{{/* What every pod of the chart has in common; Pod Security "restricted" with both of the next. */}}
{{- define "kappa.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
seccompProfile: { type: RuntimeDefault }
{{- end }}

{{- define "kappa.containerSecurity" -}}
allowPrivilegeEscalation: false
privileged: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities: { drop: [ALL] }
{{- end }}

{{/* kappa.placement (dict "root" . "of" .Values.gateway) */}}
{{- define "kappa.placement" -}}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets: {{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
{{- if .root.Values.priorityClasses.system }}
priorityClassName: {{ .root.Values.priorityClasses.system }}
{{- end }}
{{- with .of.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .of.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .of.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* kappa.hook (dict "on" "pre-install,pre-upgrade" "weight" "-20") */}}
{{- define "kappa.hook" -}}
helm.sh/hook: {{ .on }}
helm.sh/hook-weight: {{ .weight | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end }}

{{/* Pod template of a hook's job: kappa.hookPod (dict "root" . "name" "kappa-setup" "entry" "setup" "env" (dict "NAME" "value")) */}}
{{- define "kappa.hookPod" -}}
metadata:
  labels:
    {{- include "kappa.podLabels" . | nindent 4 }}
spec:
  serviceAccountName: {{ .name }}
  automountServiceAccountToken: true
  enableServiceLinks: false
  restartPolicy: OnFailure
  {{- /* No priority class: before an install there is none yet. */}}
  {{- with .root.Values }}
  {{- include "kappa.placement" (dict "root" (dict "Values" (dict "image" .image "priorityClasses" dict)) "of" .controller) | nindent 2 }}
  {{- end }}
  securityContext: {{- include "kappa.podSecurity" . | nindent 4 }}
  containers:
    - name: hook
      image: {{ include "kappa.image" (dict "root" .root "name" .root.Values.controller.image) }}
      imagePullPolicy: {{ .root.Values.image.pullPolicy }}
      command: [node, --disable-warning=ExperimentalWarning, dist/{{ .entry }}.js]
      env:
        - { name: KAPPA_NAMESPACE, value: {{ .root.Release.Namespace }} }
        - { name: KAPPA_POOL_NAMESPACE, value: {{ .root.Values.functions.namespace }} }
        {{- range $name, $value := .env }}
        - { name: {{ $name }}, value: {{ $value | quote }} }
        {{- end }}
      securityContext: {{- include "kappa.containerSecurity" . | nindent 8 }}
      resources:
        requests: { cpu: 50m, memory: 96Mi, ephemeral-storage: 16Mi }
        limits: { memory: 256Mi, ephemeral-storage: 64Mi }
{{- end }}

{{/* Where code is kept: kappa.storeEnv (dict "root" . "of" .Values.gateway) */}}
{{- define "kappa.storeEnv" -}}
{{- $values := .root.Values }}
- { name: KAPPA_BLOB_DIR, value: /var/lib/kappa/blobs }
- { name: KAPPA_BLOB_CACHE_BYTES, value: {{ mul .of.blobCacheMiB 1048576 | quote }} }
- { name: KAPPA_S3_ENDPOINT, value: {{ $values.s3.endpoint | default "http://kappa-store:7070" | quote }} }
- { name: KAPPA_S3_BUCKET, value: {{ $values.s3.bucket | quote }} }
- { name: KAPPA_S3_REGION, value: {{ $values.s3.region | quote }} }
{{- with ternary $values.s3.existingSecret "kappa-store" (not (empty $values.s3.endpoint)) }}
- name: AWS_ACCESS_KEY_ID
  valueFrom: { secretKeyRef: { name: {{ . }}, key: accessKeyId } }
- name: AWS_SECRET_ACCESS_KEY
  valueFrom: { secretKeyRef: { name: {{ . }}, key: secretAccessKey } }
{{- end }}
{{- end }}

{{/* Bounds of packages: gateway and controller have the same. */}}
{{- define "kappa.codeEnv" -}}
- { name: KAPPA_CODE_MAX_ZIPPED_BYTES, value: {{ mul .Values.code.maxZippedMiB 1048576 | quote }} }
- { name: KAPPA_CODE_MAX_UNPACKED_BYTES, value: {{ mul .Values.code.maxUnpackedMiB 1048576 | quote }} }
{{- end }}

{{/* From which buckets whose code may be fetched; keys apart from the rest. */}}
{{- define "kappa.codeSourcesEnv" -}}
{{- $sources := list }}
{{- range .Values.code.sources }}
{{- $sources = append $sources (omit . "existingSecret") }}
{{- end }}
- { name: KAPPA_CODE_SOURCES, value: {{ toJson $sources | quote }} }
{{- range $index, $source := .Values.code.sources }}
{{- with $source.existingSecret }}
- name: KAPPA_CODE_SOURCE_{{ $index }}_ACCESS_KEY_ID
  valueFrom: { secretKeyRef: { name: {{ . }}, key: accessKeyId } }
- name: KAPPA_CODE_SOURCE_{{ $index }}_SECRET_ACCESS_KEY
  valueFrom: { secretKeyRef: { name: {{ . }}, key: secretAccessKey } }
{{- end }}
{{- end }}
{{- end }}

{{- define "kappa.podFields" -}}
- name: KAPPA_POD_NAME
  valueFrom: { fieldRef: { fieldPath: metadata.name } }
- name: KAPPA_POD_IP
  valueFrom: { fieldRef: { fieldPath: status.podIP } }
{{- end }}

{{/* Reasons why a checker's finding is not followed; for pods of the chart's own images. */}}
{{- define "kappa.lintNotes" -}}
kube-score/ignore: container-resources,container-image-tag,container-image-pull-policy,deployment-has-host-podantiaffinity,pod-probes-identical,container-security-context-user-group-id
checkov.io/skip1: CKV_K8S_11=a CPU limit throttles the request path; requests share the CPU under pressure
checkov.io/skip2: CKV_K8S_43=tags are immutable and follow appVersion; pin a digest through image.tag where policy asks for it
checkov.io/skip3: CKV_K8S_15=IfNotPresent with immutable tags starts without the registry
checkov.io/skip4: CKV_K8S_40=the images' user is 65532, above the range of the host's accounts
{{- end }}

{{/* The same for the bundled Redis and store, whose images are not Kappa's and which run once. */}}
{{- define "kappa.singleLintNotes" -}}
kube-score/ignore: container-resources,container-image-pull-policy,statefulset-has-host-podantiaffinity,statefulset-has-poddisruptionbudget,pod-probes-identical,container-security-context-user-group-id
checkov.io/skip1: CKV_K8S_11=a CPU limit throttles what the request path waits for
checkov.io/skip2: CKV_K8S_43=pin a digest through the value where policy asks for it
checkov.io/skip3: CKV_K8S_15=IfNotPresent with an exact version starts without the registry
checkov.io/skip4: CKV_K8S_40=the user is 65532, above the range of the host's accounts
checkov.io/skip5: CKV_K8S_35=both servers read their credentials from the environment or from a mounted Secret
{{- end }}

{{/* The one volume claim of a StatefulSet: kappa.claim .Values.redis.persistence */}}
{{- define "kappa.claim" -}}
- apiVersion: v1
  kind: PersistentVolumeClaim
  metadata: { name: data }
  spec:
    accessModes: [ReadWriteOnce]
    {{- with .storageClass }}
    storageClassName: {{ . }}
    {{- end }}
    resources: { requests: { storage: {{ .size }} } }
{{- end }}

{{/* Parts of network policies. */}}
{{- define "kappa.policy" }}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ .name }}
  namespace: {{ .namespace }}
  labels: {{- include "kappa.labels" .root | nindent 4 }}
  {{- if eq .namespace .root.Values.functions.namespace }}
  annotations:
    kube-score/ignore: networkpolicy-targets-pod # the controller makes the pods
  {{- end }}
{{- end }}
{{- define "kappa.peer" -}}
podSelector: { matchLabels: { app.kubernetes.io/name: {{ . }} } }
{{- end }}
{{- define "kappa.dnsRule" -}}
- to: {{- toYaml .Values.networkPolicies.dns | nindent 4 }}
  ports: [{ port: 53, protocol: UDP }, { port: 53, protocol: TCP }]
{{- end }}
{{- define "kappa.apiRule" -}}
# The Kubernetes API, which no selector can name.
- ports:
  {{- range .Values.networkPolicies.apiServerPorts }}
    - { port: {{ . }}, protocol: TCP }
  {{- end }}
{{- end }}
{{- define "kappa.storeRule" -}}
{{- if .Values.s3.endpoint }}
- ports: [{ port: {{ include "kappa.port" .Values.s3.endpoint }}, protocol: TCP }]
{{- else }}
- to:
    - {{ include "kappa.peer" "kappa-store" }}
  ports: [{ port: 7070, protocol: TCP }]
{{- end }}
{{- end }}
{{- define "kappa.monitoringRule" -}}
- from:
  {{- range .Values.networkPolicies.monitoringNamespaces }}
    - namespaceSelector: { matchLabels: {{ toJson . }} }
  {{- end }}
{{- end }}
