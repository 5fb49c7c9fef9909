@NullMarked
package dev.nola.gpu.check;

import org.jspecify.annotations.NullMarked;
