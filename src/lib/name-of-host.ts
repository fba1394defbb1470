/** A host's name as it can be a part of a file's name: letters, digits and `-`. */
export function nameOfHost(host: string): string {
  return host.replaceAll(/[^A-Za-z0-9-]/g, '-') || 'unnamed';
}
