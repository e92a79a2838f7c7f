import { isMap, isScalar, parseAllDocuments, stringify } from 'yaml';

/**
 * Replaces `spec.code.directory: PATH` of every Function and Layer in a manifest by `spec.code.zip.sha256: DIGEST`; everything else stays as written,
 * comments included.
 *
 * @param upload packages and stores the path, answers the digest
 * @throws Error that names the position of a YAML mistake, or the object whose `directory` is not a text
 */
export async function rewriteManifests(text: string, upload: (path: string) => Promise<string>): Promise<string> {
  const documents = parseAllDocuments(text);
  if (!Array.isArray(documents)) return text;
  for (const document of documents) {
    const mistake = document.errors[0];
    if (mistake !== undefined) throw new Error(mistake.message);
    const kind = document.get('kind');
    if (kind !== 'Function' && kind !== 'Layer') continue;
    const code = document.getIn(['spec', 'code']);
    if (!isMap(code) || !code.has('directory')) continue;
    const directory = code.get('directory', true);
    if (!isScalar(directory) || typeof directory.value !== 'string') {
      throw new Error(
        `${kind} ${stringify(document.getIn(['metadata', 'name'])).trim()}: spec.code.directory is not a path`,
      );
    }
    document.setIn(['spec', 'code'], { zip: { sha256: await upload(directory.value) } });
  }
  return documents.map(String).join('');
}
