declare module 'lz4js' {
  /** Decodes one LZ4 frame. */
  export function decompress(frame: Uint8Array): Uint8Array;
  const lz4: { decompress: typeof decompress };
  export default lz4;
}
