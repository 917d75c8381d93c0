import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * What the console producer cannot do: two transactions, of the lines of standard input (key, tab, value). The first,
 * up to an empty line, is aborted when the broker has taken its records; the second is committed. Arguments: brokers,
 * topic, codec, transactional id. Java runs it from its source, with the client of the stack on the class path.
 */
public class Transactions {
    public static void main(String[] args) throws Exception {
        Map<String, Object> settings = Map.of(
            "bootstrap.servers", args[0],
            "compression.type", args[2],
            "transactional.id", args[3],
            "linger.ms", 100);
        var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        var text = new StringSerializer();
        try (var producer = new KafkaProducer<String, String>(settings, text, text)) {
            producer.initTransactions();
            begin(producer, read(input, args[1]));
            producer.abortTransaction();
            begin(producer, read(input, args[1]));
            producer.commitTransaction();
        }
    }

    /** Returns when the broker has taken every record. */
    private static void begin(KafkaProducer<String, String> producer, List<ProducerRecord<String, String>> records)
            throws Exception {
        producer.beginTransaction();
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        for (var record : records) sent.add(producer.send(record));
        producer.flush();
        for (var one : sent) one.get();
    }

    private static List<ProducerRecord<String, String>> read(BufferedReader input, String topic) throws IOException {
        List<ProducerRecord<String, String>> records = new ArrayList<>();
        for (String line; (line = input.readLine()) != null && !line.isEmpty(); ) {
            String[] parts = line.split("\t", 2);
            records.add(new ProducerRecord<>(topic, parts[0], parts[1]));
        }
        return records;
    }
}
