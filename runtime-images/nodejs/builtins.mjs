/*
 * Node's own modules, by process.getBuiltinModule (Node 20.16, 22.3 and later) and not by import: an import makes an ES module out of
 * each one, which touches every export, and costs a waiting pod up to 3 MB apiece (ADR 0003).
 */

/** @type {Pick<typeof import('node:fs'), 'existsSync' | 'readFileSync' | 'statSync'>} */
export const { existsSync, readFileSync, statSync } = process.getBuiltinModule('fs');
/** @type {Pick<typeof import('node:module'), 'createRequire' | 'Module'>} */
export const { createRequire, Module } = process.getBuiltinModule('module');
/** @type {Pick<typeof import('node:net'), 'connect'>} */
export const { connect } = process.getBuiltinModule('net');
/** @type {import('node:path').PlatformPath} */
export const path = process.getBuiltinModule('path');
/** @type {Pick<typeof import('node:url'), 'fileURLToPath' | 'pathToFileURL'>} */
export const { fileURLToPath, pathToFileURL } = process.getBuiltinModule('url');
/** @type {Pick<typeof import('node:util'), 'format' | 'types'>} */
export const { format, types } = process.getBuiltinModule('util');
