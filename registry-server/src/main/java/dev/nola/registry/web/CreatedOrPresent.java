package dev.nola.registry.web;

import io.swagger.v3.oas.annotations.responses.ApiResponse;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Describes an endpoint that creates what its body describes: 201 with the result if it is new, 200
 * if it was already there.
 */
@ApiResponse(responseCode = "201", description = "Created", useReturnTypeSchema = true)
@ApiResponse(responseCode = "200", description = "Already there", useReturnTypeSchema = true)
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
public @interface CreatedOrPresent {}
