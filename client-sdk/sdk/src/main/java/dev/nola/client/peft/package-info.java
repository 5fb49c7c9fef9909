/** What the export to PEFT and the import from it share: names, tasks, rounding and its error. */
@NullMarked
package dev.nola.client.peft;

import org.jspecify.annotations.NullMarked;
