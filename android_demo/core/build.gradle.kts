plugins {
    `java-library`
}

// Java 8 and nothing younger, so that nothing has to be desugared on an old Android.
tasks.withType<JavaCompile>().configureEach {
    options.release = 8
    options.compilerArgs.add("-Xlint:-options")
}

dependencies {
    testImplementation(libs.junit.jupiter)
}

// Its tests read files that Python writes: pytest tests/android runs them.
tasks.test {
    enabled = false
}
