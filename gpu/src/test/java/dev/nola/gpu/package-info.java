@NullMarked
package dev.nola.gpu;

import org.jspecify.annotations.NullMarked;
