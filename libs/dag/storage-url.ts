type StorageUrl =
  { readonly ok: true; readonly url: string } | { readonly ok: false; readonly message: string; readonly hint: string };

const HINT = 'Write file:///absolute/folder, file://./folder, a plain path, or s3://bucket/prefix.';

/**
 * The absolute `file:///…` form of a storage root, where relative ones count from `baseDir`, or `s3://bucket/prefix`
 * without slashes at its end. Pure text: nothing is looked up.
 */
export function storageUrl(written: string, baseDir: string): StorageUrl {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(written)?.[1]?.toLowerCase();
  if (scheme === 's3') return bucketUrl(written);
  if (scheme !== undefined && scheme !== 'file')
    return ['gs', 'az', 'azure', 'abfs'].includes(scheme)
      ? { ok: false, message: `storage at ${scheme}:// is not yet supported`, hint: HINT }
      : { ok: false, message: 'expected a file:// root', hint: HINT };
  const path = scheme === undefined ? written : written.slice('file:'.length).replace(/^\/\//, '');
  // `file://host/x` names another machine; `file://x` is nearly always meant to be relative.
  if (scheme !== undefined && !/^(\/|\.{1,2}(\/|$))/.test(path))
    return { ok: false, message: 'the part behind file:// is read as a host', hint: HINT };
  const folders = foldersOf(path, baseDir);
  if (folders.length === 0) return { ok: false, message: 'the root of the file system is no storage root', hint: HINT };
  return { ok: true, url: `file:///${folders.map((folder) => encodeURIComponent(decoded(folder, scheme))).join('/')}` };
}

const S3_HINT = 'Write s3://bucket or s3://bucket/prefix; credentials stand in the variables of the server.';

function bucketUrl(written: string): StorageUrl {
  const [, bucket = '', rest = ''] = /^s3:\/\/([^/]*)\/?(.*)$/i.exec(written) ?? [];
  const parts = rest.replace(/\/$/, '').split('/');
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket) || bucket.includes('..'))
    return { ok: false, message: `expected the name of a bucket behind s3://`, hint: S3_HINT };
  if (rest !== '' && parts.some((part) => !/^[A-Za-z0-9_=.-]+$/.test(part) || /^\.{1,2}$/.test(part)))
    return {
      ok: false,
      message: 'a prefix in a bucket is made of letters, digits, `-`, `_`, `.` and `=`, with single slashes between',
      hint: S3_HINT,
    };
  return { ok: true, url: ['s3:/', bucket, ...(rest === '' ? [] : parts)].join('/') };
}

/** `path` as an absolute one without `.` and `..`; a relative one counts from `baseDir`. Nothing is looked up. */
export function absolutePath(path: string, baseDir: string): string {
  return `/${foldersOf(path, baseDir).join('/')}`;
}

function foldersOf(path: string, baseDir: string): string[] {
  const folders: string[] = [];
  for (const folder of (path.startsWith('/') ? path : `${baseDir}/${path}`).split('/')) {
    if (folder === '..') folders.pop();
    else if (folder !== '' && folder !== '.') folders.push(folder);
  }
  return folders;
}

/** In a URL `%20` is a blank; in a plain path it is itself. */
function decoded(folder: string, scheme: string | undefined): string {
  if (scheme === undefined) return folder;
  try {
    return decodeURIComponent(folder);
  } catch {
    // A lone % is not an escape: take it as written.
    return folder;
  }
}
