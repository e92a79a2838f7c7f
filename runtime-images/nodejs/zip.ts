import { crc32 } from 'node:zlib';

/** Contents by path. What begins as a script or as a program of Linux can be executed. */
export type TestFiles = Readonly<Record<string, string | Buffer>>;

/** A zip of files, stored without compression. @see https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT */
export function makeZip(files: TestFiles): Buffer {
  const local: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const [name, text] of Object.entries(files)) {
    const data = typeof text === 'string' ? Buffer.from(text) : text;
    const nameBytes = Buffer.from(name);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(0x800, 2);
    common.writeUInt16LE(0x21, 8);
    common.writeUInt32LE(crc32(data), 10);
    common.writeUInt32LE(data.length, 14);
    common.writeUInt32LE(data.length, 18);
    common.writeUInt16LE(nameBytes.length, 22);
    local.push(Buffer.from('PK\x03\x04'), common, nameBytes, data);
    const entryEnd = Buffer.alloc(14);
    entryEnd.writeUInt32LE((isProgram(data) ? 0o100755 : 0o100644) * 0x10000, 6);
    entryEnd.writeUInt32LE(offset, 10);
    central.push(Buffer.from('PK\x01\x02\x14\x03'), common, entryEnd, nameBytes);
    offset += 30 + nameBytes.length + data.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(18);
  const count = Object.keys(files).length;
  end.writeUInt16LE(count, 4);
  end.writeUInt16LE(count, 6);
  end.writeUInt32LE(directory.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...local, directory, Buffer.from('PK\x05\x06'), end]);
}

function isProgram(data: Buffer): boolean {
  return ['#!', '\x7fELF'].some((start) => data.subarray(0, start.length).toString('latin1') === start);
}
