/**
 * The {@code .nola} file, version 1.0. SPEC.md of this module is normative; this is its map onto
 * the code.
 *
 * <table>
 * <caption>Parts of a file</caption>
 * <tr><th>part</th><th>SPEC.md</th><th>content</th><th>class</th></tr>
 * <tr><td>header</td><td>3</td><td>magic, version, required features, lengths</td><td>{@code Header}</td></tr>
 * <tr><td>manifest</td><td>4</td><td>FlatBuffer: seed, generator, layer map, base, digest, metadata</td>
 *     <td>{@code ManifestEncoder}, {@code ManifestDecoder}, {@code DeclaredLimits}, {@code LayerRun}</td></tr>
 * <tr><td>codes section</td><td>5.1</td><td>scale, α, β of every layer</td><td>{@code CodesSection}, {@link dev.nola.format.Codes}</td></tr>
 * <tr><td>dense section</td><td>5.2</td><td>tensors stored whole</td><td>{@code DenseSection}, {@link dev.nola.format.DenseTensor}</td></tr>
 * <tr><td>checksum</td><td>2</td><td>CRC-32C of everything before it</td><td>{@code Checksum}</td></tr>
 * </table>
 *
 * <p>An {@link dev.nola.format.Adapter} is immutable, legal and in canonical order from the moment
 * it is built. An {@link dev.nola.format.AdapterFile} is an adapter with its digest; {@code
 * AdapterFileReader} and {@code AdapterFileWriter} turn bytes into it and it into bytes. Reading
 * decodes, checks, encodes again and requires identical bytes, because FlatBuffers for Java has no
 * verifier. Every check names its {@code Rule} of SPEC.md section 11, in that section's order, and
 * every refusal is an {@link dev.nola.format.AdapterException}.
 *
 * <p>{@code flatbuffers} holds generated classes (schema/generate.sh); nothing outside this package
 * uses them.
 *
 * <p>History: 1.0 is the first version. Files of its release candidates are refused as too old.
 */
@NullMarked
package dev.nola.format;

import org.jspecify.annotations.NullMarked;
