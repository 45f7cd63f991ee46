package org.capexport.demo.ui

import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.padding
import androidx.compose.material3.Button
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.unit.dp
import org.capexport.core.CaptionException
import org.capexport.demo.R

/** What went wrong, where, and what the user can do about it. */
@Composable
fun ErrorScreen(error: CaptionException, onRetry: () -> Unit) {
    Column(
        Modifier.fillMaxSize().padding(24.dp),
        verticalArrangement = Arrangement.spacedBy(16.dp, Alignment.CenterVertically),
    ) {
        Text(error.what, style = MaterialTheme.typography.headlineSmall)
        Text(error.hint, style = MaterialTheme.typography.bodyLarge)
        Text(error.where, style = MaterialTheme.typography.bodySmall)
        Button(onClick = onRetry) { Text(stringResource(R.string.retry)) }
    }
}
