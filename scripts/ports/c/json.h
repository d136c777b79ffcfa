/*
 * JSON as it stands in a line: a value is a pointer to its first character. Nothing is copied, nothing allocated.
 * Ask json_valid about the line first; the other functions read only what it has found to be JSON. All of them take
 * NULL for a value that is not there.
 */
#ifndef JSON_H
#define JSON_H

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef const char *Json;

/* What JSON has no numbers for. */
static const struct {
  const char *text;
  double value;
} json_special[] = {{"NaN", NAN}, {"Infinity", INFINITY}, {"-Infinity", -INFINITY}, {"-0", -0.0}};

static Json json_space(Json at) {
  while (*at == ' ' || *at == '\t' || *at == '\r' || *at == '\n') at++;
  return at;
}

/* json_after…: the character after the string, digits, number or value; NULL if it is none. */
static Json json_after_string(Json at) {
  if (*at++ != '"') return NULL;
  for (; *at != '"'; at++) {
    if ((unsigned char)*at < ' ') return NULL; /* the end of the line, too */
    if (*at != '\\') continue;
    if (*++at == 'u') {
      for (int digit = 0; digit < 4; digit++)
        if (*++at == '\0' || !strchr("0123456789abcdefABCDEF", *at)) return NULL;
    } else if (*at == '\0' || !strchr("\"\\/bfnrt", *at)) {
      return NULL;
    }
  }
  return at + 1;
}

static Json json_after_digits(Json at) {
  if (*at < '0' || *at > '9') return NULL;
  while (*at >= '0' && *at <= '9') at++;
  return at;
}

static Json json_after_number(Json at) {
  if (*at == '-') at++;
  at = *at == '0' ? at + 1 : json_after_digits(at);
  if (at && *at == '.') at = json_after_digits(at + 1);
  if (at && (*at == 'e' || *at == 'E')) {
    at++;
    at = json_after_digits(*at == '+' || *at == '-' ? at + 1 : at);
  }
  return at;
}

enum { JSON_DEPTH = 32 }; /* arrays in arrays */

static Json json_after(Json at, int depth) {
  if (*at == '"') return json_after_string(at);
  if (strncmp(at, "true", 4) == 0 || strncmp(at, "null", 4) == 0) return at + 4;
  if (strncmp(at, "false", 5) == 0) return at + 5;
  if (*at != '{' && *at != '[') return json_after_number(at);
  if (depth == 0) return NULL;
  const char close = *at == '{' ? '}' : ']';
  at = json_space(at + 1);
  if (*at == close) return at + 1;
  for (;; at = json_space(at + 1)) {
    if (close == '}') {
      if (!(at = json_after_string(at))) return NULL;
      at = json_space(at);
      if (*at != ':') return NULL;
      at = json_space(at + 1);
    }
    if (!(at = json_after(at, depth - 1))) return NULL;
    at = json_space(at);
    if (*at == close) return at + 1;
    if (*at != ',') return NULL;
  }
}

/* Whether the line is one value and nothing else. */
static bool json_valid(const char *line) {
  Json end = json_after(json_space(line), JSON_DEPTH);
  return end && *json_space(end) == '\0';
}

/* The first element of an array, or the first key of an object; NULL if there is none. */
static Json json_first(Json value) {
  if (!value || (*value != '[' && *value != '{')) return NULL;
  Json first = json_space(value + 1);
  return *first == ']' || *first == '}' ? NULL : first;
}

/* The element after this one, or the key after this value; NULL if it was the last. */
static Json json_next(Json value) {
  Json end = json_space(json_after(value, JSON_DEPTH));
  return *end == ',' ? json_space(end + 1) : NULL;
}

/* The value of a key. */
static Json json_value(Json key) { return json_space(json_space(json_after_string(key)) + 1); }

/* How many elements an array has, or keys an object. */
static int json_count(Json value) {
  int count = 0;
  for (Json at = json_first(value); at; at = json_next(*value == '{' ? json_value(at) : at)) count++;
  return count;
}

/* Whether the value is this string, spelled without escapes. */
static bool json_is(Json value, const char *text) {
  const size_t length = strlen(text);
  return value && *value == '"' && strncmp(value + 1, text, length) == 0 && value[1 + length] == '"';
}

/* The value of a key of an object; NULL if there is none. */
static Json json_get(Json object, const char *key) {
  if (!object || *object != '{') return NULL;
  for (Json at = json_first(object); at; at = json_next(json_value(at)))
    if (json_is(at, key)) return json_value(at);
  return NULL;
}

/* Whether the value is a number, or one of those that are written as strings. */
static bool json_number(Json value, double *number) {
  if (value && (*value == '-' || (*value >= '0' && *value <= '9'))) {
    *number = strtod(value, NULL);
    return true;
  }
  for (size_t i = 0; i < sizeof json_special / sizeof *json_special; i++)
    if (json_is(value, json_special[i].text)) {
      *number = json_special[i].value;
      return true;
    }
  return false;
}

/* A float in so many digits that it can be read back, and no more. */
static void json_write(FILE *out, float value) {
  char text[32];
  if (isnan(value)) {
    fputs("\"NaN\"", out);
  } else if (isinf(value) || (value == 0 && signbit(value))) {
    fputs(value == 0 ? "\"-0\"" : value > 0 ? "\"Infinity\"" : "\"-Infinity\"", out);
  } else {
    for (int digits = 6; digits <= 9; digits++) {
      snprintf(text, sizeof text, "%.*g", digits, value);
      if (strtof(text, NULL) == value) break;
    }
    fputs(text, out);
  }
}

#endif
