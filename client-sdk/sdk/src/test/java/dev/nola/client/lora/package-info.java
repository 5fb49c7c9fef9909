@NullMarked
package dev.nola.client.lora;

import org.jspecify.annotations.NullMarked;
