package dev.nola.trainer.data;

import dev.nola.trainer.image.ImageConfig;
import dev.nola.trainer.image.ImageTransform;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** Reads the examples of a job. */
public final class DatasetReader {
  private DatasetReader() {}

  /**
   * Reads files to their ends, and keeps the examples that are used.
   *
   * @param files the files, and which of their examples are used
   * @param model folder with the tokenizer of texts, or the settings of images; null for a network
   *     trained from scratch
   * @return the examples, whose classes are those of the training data
   * @throws IOException if a file cannot be read, or breaks a rule: the message has its name, the
   *     line and the rule
   * @throws IllegalArgumentException if the files contain texts and there is no model
   * @throws InterruptedException if the thread is interrupted
   */
  public static Dataset read(DataFiles files, @Nullable Path model)
      throws IOException, InterruptedException {
    return read(files, model, List.of());
  }

  /**
   * Reads files to their ends, and keeps the examples that are used.
   *
   * @param files the files, and which of their examples are used
   * @param model folder with the tokenizer of texts, or the settings of images; null for a network
   *     trained from scratch
   * @param labels names of the classes by number; empty for those of the training data
   * @return the examples
   * @throws IOException if a file cannot be read, or breaks a rule: the message has its name, the
   *     line and the rule
   * @throws IllegalArgumentException if the files contain texts and there is no model
   * @throws InterruptedException if the thread is interrupted
   */
  public static Dataset read(DataFiles files, @Nullable Path model, List<String> labels)
      throws IOException, InterruptedException {
    Dataset all = readAll(files, model, labels);
    DataFiles.Selection selection = files.selection();
    return selection.shots() == 0 ? all : Shots.draw(all, selection.shots(), selection.seed());
  }

  private static Dataset readAll(DataFiles files, @Nullable Path model, List<String> labels)
      throws IOException, InterruptedException {
    if (files.layout() instanceof DataFiles.Layout.Idx idx) {
      return Images.read(files, idx, model, labels);
    }
    if (files.layout() instanceof DataFiles.Layout.ImageFolder folder) {
      return PictureFolder.read(files, ImageConfig.transform(folder.images(), model), labels);
    }
    if (model == null) {
      throw new IllegalArgumentException("texts need a tokenizer, but the job has no base model");
    }
    return Texts.read(files, model, labels);
  }

  /**
   * Reads images and their classes, for a measurement.
   *
   * @param data folder of images with a folder for each class, or an IDX file
   * @param labelsFile IDX file with the classes; null for a folder
   * @param transform what turns images into the input of the model
   * @param classes names of the classes by number
   * @return the examples
   * @throws IOException if a file cannot be read, or breaks a rule: the message has its name
   */
  public static ExampleFile readImages(
      Path data, @Nullable Path labelsFile, ImageTransform transform, List<String> classes)
      throws IOException {
    return new ExampleFile(
        labelsFile == null
            ? PictureFolder.list(data).examples(transform, classes, "of the adapter")
            : Images.read(data, labelsFile, transform, classes.size()),
        0);
  }

  /**
   * Reads features and their classes, for a measurement.
   *
   * @param data IDX file of images
   * @param labelsFile IDX file with the classes
   * @param width number of features
   * @param classes number of classes
   * @return the examples
   * @throws IOException if a file cannot be read, or breaks a rule: the message has its name
   */
  public static ExampleFile readFeatures(Path data, Path labelsFile, int width, int classes)
      throws IOException {
    return new ExampleFile(Images.readFeatures(data, labelsFile, width, classes), 0);
  }

  /**
   * Lists the images anywhere in a folder.
   *
   * @param path the folder, or the file of an image
   * @return the files, in the order of their paths, at least one
   * @throws IOException if the folder cannot be read, or has no images
   */
  public static List<Path> images(Path path) throws IOException {
    return PictureFolder.images(path);
  }

  /**
   * Returns whether a file of JSON objects has chats instead of prompts, by its first object.
   *
   * @param file the file
   * @param prompt field of the text to continue
   * @param messages field of a chat's messages
   * @return true if the object has messages, and no prompt
   * @throws IOException if the file cannot be read
   */
  public static boolean isChat(Path file, String prompt, String messages) throws IOException {
    Optional<Lines.Line> line = Lines.first(file);
    if (line.isEmpty()) {
      return false;
    }
    JsonNode object = Row.object(file, line.get());
    return object.has(messages) && !object.has(prompt);
  }

  /**
   * Reads one file of texts to its end.
   *
   * @param layout what the file contains; not images
   * @param file the file
   * @param maxTokens longest text, in tokens
   * @param tokenizer the model's tokenizer
   * @param labels names of the classes by number; empty for those of the file
   * @return the examples
   * @throws IOException if the file cannot be read, or breaks a rule: the message has its name, the
   *     line and the rule
   * @throws InterruptedException if the thread is interrupted
   */
  public static ExampleFile read(
      DataFiles.Layout layout,
      Path file,
      int maxTokens,
      TextTokenizer tokenizer,
      List<String> labels)
      throws IOException, InterruptedException {
    return Texts.read(layout, file, maxTokens, tokenizer, labels);
  }
}
